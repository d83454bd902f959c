"""The pairs of a batch, which are built only when a loss calls for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ssl_domains.pairs import BoundObjective, PairBatch, Rows

__all__ = ["RowPairs"]


@dataclass(frozen=True, eq=False)
class RowPairs:
    """The pairs of a batch: positive, negative or ignored. A call ``pairs()`` builds them.

    Attributes:
        objective: The rule, bound to the training rows.
        rows: Rows of this process, in the order of ``Embeddings.z``, on the CPU.
        whole: Rows of all processes, in the order of ``Embeddings.whole()``; the same object as ``rows`` for one
            process.
        device: Device of the pairs.
        anchors: int64, positions in ``rows`` of the anchors; None if all rows are anchors.
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
        """Whether the candidates of ``pairs()`` are its anchors; then a loss is called without candidates."""
        return self.whole is self.rows and self.anchors is None

    def __call__(
        self,
        anchors: Rows | None = None,
        candidates: Rows | None = None,
        *,
        stored: Literal["positive", "ignore"] = "positive",
    ) -> PairBatch:
        """Build the pairs of anchors and candidates.

        Args:
            anchors: Rows of the anchors; None for the anchors of this process.
            candidates: Rows of the candidates; None for the rows of the whole batch. Those of a queue are made by
                ``Rows.stored``.
            stored: Whether a stored row that matches a relation is a positive or ignored; see `BoundObjective.pairs`.

        Raises:
            UsageError: When rows lack an emitted number that the rule reads.
        """
        if anchors is None and candidates is None and self.square:
            return self.objective.pairs(self.rows).to(self.device)
        if anchors is None:
            anchors = self.rows if self.anchors is None else self.rows.take(self.anchors)
        others = self.whole if candidates is None else candidates
        return self.objective.pairs(anchors, others, stored=stored).to(self.device)
