"""The triplet loss of all triplets of a strip, without an array of triplets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from ssl_domains.pairs import CollapsedTile, Triplets

__all__ = ["every_triplet"]

_CHUNK = 2**19  # positives × candidates that are compared at a time


def every_triplet(
    distance: Tensor, tile: CollapsedTile, chosen: Triplets, margin: float | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Sum of the triplet loss over chosen positives and all candidates that are less relevant.

    Its gradient by a distance needs no single triplet: for a margin it is the number of active triplets in which the
    distance is that to the positive, less the number in which it is that to the negative.

    Args:
        distance: ``[I, N]`` distances of the anchors of a strip to all candidates.
        tile: Their pairs.
        chosen: Anchors and positives.
        margin: The margin; None for the soft margin.

    Returns:
        The sum, differentiable by ``distance``; the number of triplets, and of those whose loss is above 0.
    """
    with torch.no_grad():
        if margin is not None and not tile.ordered:
            value, slope, triplets, active = _by_sorting(distance, tile, chosen, margin)
        else:
            value, slope, triplets, active = _by_comparing(distance, tile, chosen, margin)
    # Has the value of the sum, and its gradient by the distances.
    return value + ((distance - distance.detach()) * slope).sum(), triplets, active


_Sums = tuple[Tensor, Tensor, Tensor, Tensor]


def _by_sorting(distance: Tensor, tile: CollapsedTile, chosen: Triplets, margin: float) -> _Sums:
    """Value, gradient, triplets and active triplets in O(I·N·log N), where each negative is one of every positive."""
    limit = torch.full_like(distance, -torch.inf)
    limit[chosen.anchor, chosen.positive] = distance[chosen.anchor, chosen.positive] + margin
    negative = torch.where(tile.negative, distance, torch.inf)
    # A triplet is active where the negative is nearer than the limit of the positive.
    as_positive = torch.searchsorted(negative.sort(dim=1).values, limit)
    as_negative = limit.shape[1] - torch.searchsorted(limit.sort(dim=1).values, negative, right=True)
    slope = (as_positive - as_negative).to(distance.dtype)
    active = as_positive.sum()
    triplets = tile.negative.sum(1)[chosen.anchor].sum()
    return (slope * distance).sum() + margin * active.to(distance.dtype), slope, triplets, active


def _by_comparing(distance: Tensor, tile: CollapsedTile, chosen: Triplets, margin: float | None) -> _Sums:
    """The same by comparing each chosen positive with all candidates, some positives at a time."""
    slope = torch.zeros_like(distance)
    value = distance.new_zeros(())
    triplets = active = torch.zeros((), dtype=torch.int64, device=distance.device)
    rows = max(1, _CHUNK // max(1, distance.shape[1]))
    for anchor, positive in zip(torch.split(chosen.anchor, rows), torch.split(chosen.positive, rows), strict=True):
        less = tile.less_relevant(anchor, positive)
        gap = distance[anchor, positive][:, None] - distance[anchor]
        gap = gap if margin is None else gap + margin
        cost = torch.where(less, F.softplus(gap, threshold=40) if margin is None else gap.clamp(min=0), 0)
        each = torch.where(less, gap.sigmoid(), 0) if margin is None else (cost > 0).to(gap.dtype)
        slope.index_add_(0, anchor, each, alpha=-1)
        slope.index_put_((anchor, positive), each.sum(1), accumulate=True)
        value = value + cost.sum()
        triplets, active = triplets + less.sum(), active + (cost > 0).sum()
    return value, slope, triplets, active
