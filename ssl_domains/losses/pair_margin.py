"""The contrastive loss of single pairs with a margin: positives attract, negatives repel up to a distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.parts.distances import distances, squared_distances
from ssl_domains.losses.parts.operands import Total
from ssl_domains.losses.parts.pair_means import pair_means

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["pair_margin"]


def pair_margin(
    z: Tensor,
    pairs: PairBatch,
    *,
    margin: float = 1.0,
    candidates: Tensor | None = None,
    total: Total = None,
) -> LossOutput:
    """Loss of all pairs: the squared distance of positives, and the squared gap to the margin of negatives.

    With the Euclidean distance d_ij, the weight w_ij of a positive pair and the margin m::

        L = Σ_positive w_ij d_ij² / Σ_positive w_ij + mean_negative max(0, m − d_ij)²

    Ignored pairs count in neither mean. Without positive and negative pairs the loss is exactly 0. The factors ½ of the
    papers are left out. It runs in float32 (float64 for float64 input) even inside autocast, strip by strip.

    Args:
        z: ``[M, d]`` embeddings of the anchors, of any length.
        pairs: Which candidates are positive, negative or ignored, all relations taken together.
        margin: m > 0, the distance from which on a negative pair costs nothing.
        candidates: ``[N, d]``, in the order of ``pairs.candidates``; needed unless they are the anchors. May require a
            gradient.
        total: For anchors that are a part of a larger batch: from sums over them to those of the whole batch.

    Returns:
        The loss; counts of positive and negative pairs, and of negative pairs within the margin.

    Raises:
        UsageError: When the shapes don't fit the pairs.

    References:
        Chopra, Hadsell & LeCun 2005, *Learning a Similarity Metric Discriminatively*; Hadsell, Chopra & LeCun 2006,
        *Dimensionality Reduction by Learning an Invariant Mapping*.
    """

    def costs(queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        return squared_distances(queries, keys), (margin - distances(queries, keys)).clamp(min=0).square()

    return pair_means(z, pairs, costs, candidates, total)
