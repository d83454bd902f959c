"""The value that every loss returns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["LossOutput"]


@dataclass(frozen=True)
class LossOutput:
    """A loss, and the numbers of each relation that are logged with it.

    Attributes:
        loss: Scalar with a gradient.
        per_relation: ``[R]``, without gradient: the loss L_r of each relation, before its weight α_r; 0 where no anchor
            has a positive.
        no_cross_positive: ``[R]``, the fraction of anchors without a positive of another sample. At 1 the relation
            adds nothing to plain SimCLR.
        anchors: ``[R]`` int64, M_r: number of anchors with a positive, over which the mean is taken. With
            ``total_anchors`` it is that of the whole batch, while the other numbers are those of this part.
    """

    loss: Tensor
    per_relation: Tensor
    no_cross_positive: Tensor
    anchors: Tensor

    @classmethod
    def plain(cls, loss: Tensor) -> LossOutput:
        """The output of a loss that reads no pairs, and so has no relations."""
        nothing = torch.zeros(0, device=loss.device)
        return cls(loss, nothing, nothing, nothing.long())
