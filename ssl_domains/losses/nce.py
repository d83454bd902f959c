"""Noise-contrastive estimation: tells data from noise by a model's scores, with the noise's probabilities known."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.score_matrix import checked_scores

__all__ = ["log_partition", "nce"]


def nce(
    scores: Tensor,
    positive: Tensor,
    negative: Tensor,
    log_noise: Tensor,
    samples: int,
    log_partition: float | Tensor = 0.0,
) -> Tensor:
    """Loss of a logistic regression that tells the positives of an anchor from k noise samples.

    The model says that candidate j has the probability exp(s_ij) / Z. Were a pair data or one of k noise samples from
    p_n, then h_ij would be the probability that it is data. With weights w of the positives P(i) and noise N(i)::

        G_ij = s_ij − log Z − log(k p_n(j))        h_ij = 1 / (1 + exp(−G_ij))
        J_i = − Σ_{p∈P(i)} w_ip log h_ip / Σ w_ip − Σ_{j∈N(i)} log(1 − h_ij)

    Its minimum over all functions s is at exp(s_ij) / Z = p_data(j|i), so Z may be a constant or be learned: the model
    needs no sum over all candidates. It differs from `ssl_domains.losses.neg.neg` by the correction, which is 0 there.

    Args:
        scores: ``[M, N]``, scores s of M anchors with N candidates: the positives and the drawn noise.
        positive: ``[M, N]`` bool, or weights; 0 where a candidate is not positive.
        negative: ``[M, N]`` bool: the noise samples of each anchor. A candidate that was drawn twice has two columns.
        log_noise: ``[N]`` or ``[M, N]``, log p_n of each candidate.
        samples: k, the number of noise samples that were drawn for each anchor, those left out included.
        log_partition: log Z, a number, or a tensor (scalar or ``[M, 1]``) that gets a gradient if it requires one.

    Returns:
        J ``[M]``, float32 (float64 for float64 scores) even inside autocast; 0 for an anchor without positives. The
        mean over anchors is left to the caller, who knows the anchors of other processes.

    Raises:
        UsageError: When shapes don't fit, or k is below 1.

    References:
        Gutmann & Hyvärinen 2010, *Noise-contrastive estimation: A new estimation principle for unnormalized statistical
        models*; Mnih & Teh 2012, *A fast and simple algorithm for training neural probabilistic language models*.
    """
    if samples < 1:
        raise UsageError(f"NCE with {samples} noise samples", "draw at least one for each anchor")
    with without_autocast(scores.device):
        s, weights, noise = checked_scores(scores, positive, negative)
        if log_noise.shape not in (s.shape, s.shape[1:]):
            cause = f"log_noise is {list(log_noise.shape)} but the scores are {list(s.shape)}"
            raise UsageError(cause, "one log-probability for each candidate")
        logits = s - log_partition - math.log(samples) - log_noise.to(s)
        return logistic_loss(logits, weights, noise)


def logistic_loss(logits: Tensor, weights: Tensor, negative: Tensor) -> Tensor:
    """Weighted mean of −log σ(logit) over an anchor's positives, plus the sum of −log(1 − σ(logit)) over its negatives.

    Args:
        logits: ``[M, N]`` float32 or float64.
        weights: ``[M, N]`` of the positives, in the same dtype.
        negative: bool ``[M, N]``.

    Returns:
        ``[M]``; 0 for an anchor without positives.
    """
    total = weights.sum(1)
    counted = total > 0
    # A pair that doesn't count may have any score; it is replaced, as 0 times infinity would be NaN.
    to_data = F.softplus(-logits.masked_fill(weights == 0, 0)).mul(weights).sum(1) / torch.where(counted, total, 1)
    to_noise = F.softplus(logits.masked_fill(~negative, 0)).mul(negative).sum(1)
    return torch.where(counted, to_data + to_noise, 0)


def log_partition(scores: Tensor, log_noise: Tensor) -> Tensor:
    """Estimate log Z from noise samples, for a partition constant that is the same for all anchors.

    Z is the mean over anchors i and noise samples j of exp(s_ij) / p_n(j). Its expectation is the mean over the anchors
    of the sum of exp(s_ij) over all candidates.

    Args:
        scores: ``[M, k]`` scores of M anchors with k noise samples.
        log_noise: ``[k]`` or ``[M, k]``, log p_n of each.

    Returns:
        Scalar without a gradient.

    References:
        Wu et al. 2018, *Unsupervised Feature Learning via Non-Parametric Instance Discrimination*, equation 7.
    """
    with without_autocast(scores.device), torch.no_grad():
        s = scores.to(torch.promote_types(scores.dtype, torch.float32))
        return torch.logsumexp((s - log_noise.to(s)).flatten(), 0) - math.log(s.numel())
