"""Batch hard: the hardest triplet of each anchor."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.miners.extremes import farthest, nearest
from ssl_domains.miners.nearest_negative import nearest_negative
from ssl_domains.pairs import CollapsedTile, Triplets

__all__ = ["batch_hard"]


def batch_hard(distance: Tensor, tile: CollapsedTile, rows: Tensor) -> Triplets:
    """The triplet of each anchor with the largest d_ip − d_in; none for an anchor without a positive or a negative.

    Where all positives are equally relevant, it is the farthest positive with the nearest negative.

    Args:
        distance: ``[I, N]`` distances of the anchors of a strip to all candidates.
        tile: Their pairs.
        rows: int64 ``[I]``, row ids of the anchors; not read.

    References:
        Hermans, Beyer & Leibe 2017, *In Defense of the Triplet Loss for Person Re-Identification*.
    """
    if not distance.shape[1]:
        nothing = rows.new_zeros(0)
        return Triplets(nothing, nothing, nothing)
    if not tile.ordered:
        anchor = (tile.has_positive & tile.has_negative).nonzero().squeeze(1)
        return Triplets(anchor, farthest(distance, tile.positive)[anchor], nearest(distance, tile.negative)[anchor])
    anchor, positive = tile.positive.nonzero(as_tuple=True)
    if not len(anchor):
        return Triplets(anchor, positive, positive)
    near, negative = nearest_negative(distance, tile, anchor, positive, farther=False)
    gap = distance[anchor, positive] - near
    largest = torch.full((len(distance),), -torch.inf, dtype=gap.dtype, device=gap.device)
    largest.scatter_reduce_(0, anchor, gap, "amax")
    # The first of the positives that reach it.
    reached = ((gap == largest[anchor]) & gap.isfinite()).nonzero().squeeze(1)
    first = torch.full((len(distance),), len(gap), dtype=torch.int64, device=gap.device)
    first.scatter_reduce_(0, anchor[reached], reached, "amin")
    chosen = first[first < len(gap)]
    return Triplets(anchor[chosen], positive[chosen], negative[chosen])
