"""Semi-hard: for each positive the nearest negative that is farther than the positive, but within the margin."""

from __future__ import annotations

from torch import Tensor

from ssl_domains.miners.nearest_negative import nearest_negative
from ssl_domains.pairs import CollapsedTile, Triplets

__all__ = ["semi_hard"]


def semi_hard(distance: Tensor, tile: CollapsedTile, rows: Tensor, *, margin: float | None = 0.2) -> Triplets:
    """For every pair of an anchor and a positive, the nearest candidate with d_ip < d_in < d_ip + margin.

    A pair without such a candidate gives no triplet: its other triplets are either hard, with a negative that is nearer
    than the positive, or cost nothing.

    Args:
        distance: ``[I, N]`` distances of the anchors of a strip to all candidates.
        tile: Their pairs.
        rows: int64 ``[I]``, row ids of the anchors; not read.
        margin: The margin of the loss; None for a soft margin, with which every farther negative is eligible.

    References:
        Schroff, Kalenichenko & Philbin 2015, *FaceNet: A Unified Embedding for Face Recognition and Clustering*.
    """
    anchor, positive = tile.positive.nonzero(as_tuple=True)
    if not len(anchor):
        return Triplets(anchor, positive, positive)
    near, negative = nearest_negative(distance, tile, anchor, positive, farther=True)
    limit = float("inf") if margin is None else distance[anchor, positive] + margin
    chosen = near < limit
    return Triplets(anchor[chosen], positive[chosen], negative[chosen])
