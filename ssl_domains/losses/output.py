"""The value that every loss returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["LossOutput"]


@dataclass(frozen=True)
class LossOutput:
    """A loss, and the numbers of each relation that are logged with it.

    Attributes:
        loss: Scalar with a gradient.
        per_relation: ``[R]``, without gradient: the loss L_r of each relation, before its weight α_r; 0 where no anchor
            has a positive. Empty for a loss that takes all relations together.
        no_cross_positive: ``[R]``, the fraction of anchors without a positive of another sample. At 1 the relation
            adds nothing to plain SimCLR.
        anchors: ``[R]`` int64, M_r: number of anchors with a positive, over which the mean is taken. With
            ``total_anchors`` it is that of the whole batch, while the other numbers are those of this part.
        counts: Further numbers by name, scalars without gradient, such as the number of mined triplets. They are those
            of this part of the batch; the log sums them over processes.
    """

    loss: Tensor
    per_relation: Tensor
    no_cross_positive: Tensor
    anchors: Tensor
    counts: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def collapsed(cls, loss: Tensor, pairs: PairBatch, counts: Mapping[str, Tensor] | None = None) -> LossOutput:
        """The output of a loss that takes all relations together, see `PairBatch.collapsed`.

        Args:
            loss: The loss.
            pairs: The pairs that it read.
            counts: Further numbers for the log.
        """
        cross = pairs.cross_sample()
        without = (1 - cross.sum(0, dtype=loss.dtype) / max(len(cross), 1)).to(loss.device)
        return cls(loss, loss.new_zeros(0), without, cross.new_zeros(0, dtype=torch.int64), dict(counts or {}))

    @classmethod
    def plain(cls, loss: Tensor) -> LossOutput:
        """The output of a loss that reads no pairs, and so has no relations."""
        nothing = torch.zeros(0, device=loss.device)
        return cls(loss, nothing, nothing, nothing.long())
