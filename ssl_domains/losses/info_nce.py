"""The InfoNCE bound of mutual information: each positive against the negatives of its anchor."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.score_matrix import checked_scores

__all__ = ["info_nce"]


def info_nce(scores: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Cross-entropy of picking each positive pair from among itself and the negatives of its anchor.

    With positives P, pairs (i, p), and negatives N(i)::

        L = − 1/|P| Σ_{(i,p)∈P} log [ exp s_ip / (exp s_ip + Σ_{j∈N(i)} exp s_ij) ]

    log(1 + |N(i)|) − L is in expectation a lower bound of the mutual information, for scores of any form. Other
    positives of an anchor aren't in the denominator; in `ssl_domains.losses.contrastive_loss` they are, so the two are
    equal where an anchor has one positive.

    Args:
        scores: ``[M, N]``, scores of M anchors with N candidates, a temperature included.
        positive: ``[M, N]`` bool, pairs of the joint distribution; weights count a pair more or less.
        negative: ``[M, N]`` bool, pairs of independent draws.

    Returns:
        Scalar L, float32 (float64 for float64 scores) even inside autocast; 0 with a gradient of 0 without positives.
        It is a mean over all pairs, so the matrix must be that of the whole batch.

    Raises:
        UsageError: When shapes don't fit.

    References:
        van den Oord et al. 2018, *Representation Learning with Contrastive Predictive Coding*; with several positives
        of an anchor Hjelm et al. 2019, *Learning deep representations by mutual information estimation and
        maximization*, equation 5.
    """
    with without_autocast(scores.device):
        s, weights, others = checked_scores(scores, positive, negative)
        # A finite number in place of −∞: the logarithm of a sum over nothing would have a gradient of NaN.
        lowest = torch.finfo(s.dtype).min / 4
        lse = torch.logsumexp(s.masked_fill(~others, lowest), dim=1, keepdim=True) if s.shape[1] else s.sum(1, True)
        kept = s.masked_fill(weights == 0, 0)
        each = F.softplus(lse - kept).mul(weights)
        return each.sum() / weights.sum().clamp_min(torch.finfo(s.dtype).tiny)
