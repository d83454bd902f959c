"""Batch all: every triplet of the batch."""

from __future__ import annotations

from torch import Tensor

from ssl_domains.pairs import CollapsedTile, Triplets

__all__ = ["batch_all"]


def batch_all(distance: Tensor, tile: CollapsedTile, rows: Tensor) -> Triplets:
    """Every positive of every anchor, with every candidate that is less relevant.

    The negatives are not listed: a loss adds them up for each anchor, without an array of triplets.

    Args:
        distance: ``[I, N]`` distances of the anchors of a strip to all candidates.
        tile: Their pairs.
        rows: int64 ``[I]``, row ids of the anchors; not read.

    References:
        Hermans, Beyer & Leibe 2017, *In Defense of the Triplet Loss for Person Re-Identification*.
    """
    anchor, positive = tile.positive.nonzero(as_tuple=True)
    return Triplets(anchor, positive, None)
