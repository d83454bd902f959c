"""The nearest candidate that is less relevant than a positive, also among those farther than the positive."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.pairs import CollapsedTile

__all__ = ["nearest_negative"]

_CHUNK = 2**19  # positives × candidates that are compared at a time


def nearest_negative(
    distance: Tensor, tile: CollapsedTile, anchor: Tensor, positive: Tensor, farther: bool
) -> tuple[Tensor, Tensor]:
    """For each positive, the nearest candidate that is less relevant to the anchor.

    Where all positives are equally relevant, the negatives of an anchor are sorted once for all its positives;
    otherwise each positive is compared with all candidates, some positives at a time.

    Args:
        distance: ``[I, N]`` distances of the anchors of a strip to all candidates.
        tile: Their pairs.
        anchor: int64 ``[T]``, rows of the strip.
        positive: int64 ``[T]``, a positive of each.
        farther: Take only candidates that are farther than the positive.

    Returns:
        Distances ``[T]``, infinite where there is no such candidate, and candidates int64 ``[T]``.
    """
    if farther and not tile.ordered:
        ordered, order = torch.where(tile.negative, distance, torch.inf).sort(dim=1)
        place = torch.searchsorted(ordered, distance, right=True)[anchor, positive]
        inside = place.clamp(max=distance.shape[1] - 1)
        found = torch.where(place < distance.shape[1], ordered[anchor, inside], torch.inf)
        return found, order[anchor, inside]
    parts = []
    rows = max(1, _CHUNK // max(1, distance.shape[1]))
    for i, p in zip(torch.split(anchor, rows), torch.split(positive, rows), strict=True):
        eligible = tile.less_relevant(i, p)
        if farther:
            eligible &= distance[i] > distance[i, p][:, None]
        parts.append(torch.where(eligible, distance[i], torch.inf).min(dim=1))
    return torch.cat([part.values for part in parts]), torch.cat([part.indices for part in parts])
