"""The cosine loss of single pairs: positives point in one direction, negatives have at most a small cosine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor

from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.parts.operands import Total
from ssl_domains.losses.parts.pair_means import pair_means

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["cosine_pair"]


def cosine_pair(
    z: Tensor,
    pairs: PairBatch,
    *,
    margin: float = 0.0,
    candidates: Tensor | None = None,
    total: Total = None,
) -> LossOutput:
    """Loss of all pairs: 1 − cos of positives, and the cosine above the margin of negatives.

    With c_ij = cos(z_i, z_j), the weight w_ij of a positive pair and the margin m::

        L = Σ_positive w_ij (1 − c_ij) / Σ_positive w_ij + mean_negative max(0, c_ij − m)

    The cost of a pair is that of ``torch.nn.functional.cosine_embedding_loss``. Bromley et al. trained the cosine of
    genuine pairs towards 1 and that of others towards −1, which is the margin −1. Ignored pairs count in neither mean.
    Without positive and negative pairs the loss is exactly 0. It runs in float32 (float64 for float64 input) even
    inside autocast, strip by strip.

    Args:
        z: ``[M, d]`` embeddings of the anchors, of any length above 0.
        pairs: Which candidates are positive, negative or ignored, all relations taken together.
        margin: m from −1 to 1, the cosine up to which a negative pair costs nothing.
        candidates: ``[N, d]``, in the order of ``pairs.candidates``; needed unless they are the anchors. May require a
            gradient.
        total: For anchors that are a part of a larger batch: from sums over them to those of the whole batch.

    Returns:
        The loss; counts of positive and negative pairs, and of negative pairs above the margin.

    Raises:
        UsageError: When the shapes don't fit the pairs.

    References:
        Bromley et al. 1993, *Signature Verification using a "Siamese" Time Delay Neural Network*.
    """

    def costs(queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        cosine = F.normalize(queries, dim=1) @ F.normalize(keys, dim=1).T
        return 1 - cosine, (cosine - margin).clamp(min=0)

    return pair_means(z, pairs, costs, candidates, total)
