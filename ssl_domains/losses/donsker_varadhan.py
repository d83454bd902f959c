"""The Donsker–Varadhan bound of mutual information."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.score_matrix import checked_scores

__all__ = ["donsker_varadhan"]


def donsker_varadhan(scores: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Negative Donsker–Varadhan bound of the mutual information between anchors and candidates.

    With positives P and negatives N::

        L = − mean_{(i,p)∈P} s_ip + log mean_{(i,j)∈N} exp s_ij

    −L is in expectation a lower bound of the mutual information if the negatives are independent draws, and is equal to
    it for s_ij = log p(i,j) / (p(i) p(j)). The logarithm of a mean over few negatives is biased and varies much, so it
    needs large batches.

    Args:
        scores: ``[M, N]``, scores of M anchors with N candidates.
        positive: ``[M, N]`` bool, pairs of the joint distribution; weights count a pair more or less.
        negative: ``[M, N]`` bool, pairs of independent draws.

    Returns:
        Scalar L, float32 (float64 for float64 scores) even inside autocast; 0 with a gradient of 0 where there are no
        positives or no negatives, as there is no bound then. The matrix must be that of the whole batch.

    Raises:
        UsageError: When shapes don't fit.

    References:
        Belghazi et al. 2018, *Mutual Information Neural Estimation*; Hjelm et al. 2019, *Learning deep representations
        by mutual information estimation and maximization*, equation 2.
    """
    with without_autocast(scores.device):
        s, weights, others = checked_scores(scores, positive, negative)
        total, count = weights.sum(), others.sum()
        joint = s.masked_fill(weights == 0, 0).mul(weights).sum() / total.clamp_min(torch.finfo(s.dtype).tiny)
        # A finite number in place of −∞: the logarithm of a sum over nothing would have a gradient of NaN.
        kept = s.masked_fill(~others, torch.finfo(s.dtype).min / 4).flatten()
        apart = torch.logsumexp(kept, 0) - count.clamp_min(1).to(s.dtype).log() if len(kept) else s.sum()
        return torch.where((total > 0) & (count > 0), apart - joint, 0)
