"""Negative sampling: tells positives from drawn negatives by a logistic regression on the scores."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.nce import logistic_loss
from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.score_matrix import checked_scores

__all__ = ["neg", "unigram_noise"]


def neg(scores: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Negative sampling (NEG) of word2vec: noise-contrastive estimation without the noise's probabilities.

    With the logistic function σ, positives P(i) of weights w and drawn negatives N(i)::

        J_i = − Σ_{p∈P(i)} w_ip log σ(s_ip) / Σ w_ip − Σ_{j∈N(i)} log σ(−s_ij)

    It equals `ssl_domains.losses.nce.nce` with k·p_n(j)·Z = 1 for every j. At its minimum s_ij is not log p_data(j|i),
    but log(p_data(j|i) / (k p_n(j))), so scores are no log-probabilities: good for embeddings, not for language models.

    Args:
        scores: ``[M, N]``, scores of M anchors with N candidates; in word2vec v_i·v'_j of a word and a context word.
        positive: ``[M, N]`` bool, or weights; 0 where a candidate is not positive.
        negative: ``[M, N]`` bool: the drawn negatives of each anchor.

    Returns:
        J ``[M]``, float32 (float64 for float64 scores) even inside autocast; 0 for an anchor without positives.

    Raises:
        UsageError: When shapes don't fit.

    References:
        Mikolov et al. 2013, *Distributed Representations of Words and Phrases and their Compositionality*, equation 4.
    """
    with without_autocast(scores.device):
        return logistic_loss(*checked_scores(scores, positive, negative))


def unigram_noise(counts: Tensor | Sequence[int], exponent: float = 0.75) -> Tensor:
    """The noise distribution of word2vec, p_n(j) ∝ count(j)^0.75: rare words are drawn more often than they occur.

    Args:
        counts: ``[V]``, how often each word occurs, none negative.
        exponent: 1 draws words as often as they occur, 0 all equally often.

    Returns:
        float64 ``[V]``, probabilities that add up to 1; 0 for a word that never occurs.

    Raises:
        UsageError: When a count is negative, or all are 0.
    """
    n = torch.as_tensor(counts, dtype=torch.float64)
    if n.ndim != 1 or bool((n < 0).any()) or not bool((n > 0).any()):
        raise UsageError("a noise distribution of no words, or of negative counts", "give the count of each word")
    powers = torch.where(n > 0, n**exponent, 0)
    return powers / powers.sum()
