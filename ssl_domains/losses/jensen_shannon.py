"""The Jensen–Shannon estimate of mutual information: a logistic regression tells positive from negative pairs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.score_matrix import checked_scores

__all__ = ["jensen_shannon"]


def jensen_shannon(scores: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Negative Jensen–Shannon estimate of the mutual information between anchors and candidates.

    With sp(x) = log(1 + exp x), positives P and negatives N::

        L = mean_{(i,p)∈P} sp(−s_ip) + mean_{(i,j)∈N} sp(s_ij)

    2 log 2 − L is a lower bound of twice the Jensen–Shannon divergence between the joint distribution and the product
    of the marginal ones. It grows with the mutual information but is not a bound of it. It is stable with few
    negatives, where the bounds of `ssl_domains.losses.info_nce` and `ssl_domains.losses.donsker_varadhan` are not.

    Args:
        scores: ``[M, N]``, scores of M anchors with N candidates.
        positive: ``[M, N]`` bool, pairs of the joint distribution; weights count a pair more or less.
        negative: ``[M, N]`` bool, pairs of independent draws.

    Returns:
        Scalar L, float32 (float64 for float64 scores) even inside autocast; a mean over no pairs is 0. The matrix must
        be that of the whole batch.

    Raises:
        UsageError: When shapes don't fit.

    References:
        Nowozin et al. 2016, *f-GAN*; Hjelm et al. 2019, *Learning deep representations by mutual information
        estimation and maximization*, equation 4.
    """
    with without_autocast(scores.device):
        s, weights, others = checked_scores(scores, positive, negative)
        joint = F.softplus(-s.masked_fill(weights == 0, 0)).mul(weights).sum()
        apart = F.softplus(s.masked_fill(~others, 0)).mul(others).sum()
        return joint / weights.sum().clamp_min(torch.finfo(s.dtype).tiny) + apart / others.sum().clamp_min(1)
