"""What every loss hands back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["LossOutput"]


@dataclass(frozen=True)
class LossOutput:
    """A loss and what is worth watching beside it.

    Attributes:
        loss: Scalar, attached to the graph.
        per_relation: ``[R]``, detached: each relation's own loss L_r, before its weight α_r. 0 where no anchor counts.
        no_cross_positive: ``[R]``, the share of all anchors without a positive of another sample. At 1 the relation
            adds nothing to plain SimCLR.
        anchors: ``[R]`` int64, M_r: the anchors that have a positive at all and are averaged over; those of the whole
            batch when ``total_anchors`` told them, while the other numbers are this part's.
    """

    loss: Tensor
    per_relation: Tensor
    no_cross_positive: Tensor
    anchors: Tensor

    @classmethod
    def plain(cls, loss: Tensor) -> LossOutput:
        """The output of a loss that reads no pairs: no relation has numbers of its own."""
        nothing = torch.zeros(0, device=loss.device)
        return cls(loss, nothing, nothing, nothing.long())
