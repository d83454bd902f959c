"""The pairs of a batch, built when a loss reads them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ssl_domains.pairs import BoundObjective, PairBatch, Rows

__all__ = ["RowPairs"]


@dataclass(frozen=True, eq=False)
class RowPairs:
    """Which rows are positives, negatives or ignored; ``pairs()`` builds them, so a method without pairs pays nothing.

    Attributes:
        objective: The rule, bound to the training rows.
        rows: Rows of this process, in the order of ``Embeddings.z``, on the CPU.
        whole: Rows of all processes, in the order of ``Embeddings.whole()``; the same object as ``rows`` on one.
        device: Where the pairs are wanted.
        anchors: int64, the rows that are anchors, as positions in ``rows``; None for all.
    """

    objective: BoundObjective
    rows: Rows
    whole: Rows
    device: torch.device
    anchors: Tensor | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The texts of the relations."""
        return self.objective.names

    @property
    def square(self) -> bool:
        """Whether ``pairs()`` compares the rows of this process with themselves: then a loss gets no candidates."""
        return self.whole is self.rows and self.anchors is None

    def __call__(self, anchors: Rows | None = None, candidates: Rows | None = None) -> PairBatch:
        """The state of every pair.

        Args:
            anchors: None for the anchors among the rows of this process.
            candidates: What they are compared with; None for the rows of the whole batch. A queue's are
                ``Rows.stored``.

        Raises:
            UsageError: When rows lack an emitted number that the rule reads.
        """
        if anchors is None and candidates is None and self.square:
            return self.objective.pairs(self.rows).to(self.device)
        if anchors is None:
            anchors = self.rows if self.anchors is None else self.rows.take(self.anchors)
        return self.objective.pairs(anchors, self.whole if candidates is None else candidates).to(self.device)
