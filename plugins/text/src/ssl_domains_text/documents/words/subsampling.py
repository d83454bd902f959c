"""Subsampling of frequent words, as in word2vec: they are left out of sentences at random before windows are cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError

__all__ = ["keep_probability"]


def keep_probability(counts: NDArray[np.int64], threshold: float) -> NDArray[np.float64]:
    """Probability that an occurrence of each word is kept.

    With the share f of a word among all words and the threshold t, it is min(1, √(t/f) + t/f). This is what word2vec
    computes; the paper states √(t/f) alone.

    Args:
        counts: How often each word occurs, int64 ``[V]``.
        threshold: t, such as 1e-3; 0 keeps all words.

    Returns:
        float64 ``[V]``; 1 for a word that never occurs.

    Raises:
        UsageError: When the threshold is negative.

    References:
        Mikolov et al. 2013, *Distributed Representations of Words and Phrases and their Compositionality*, section 2.3.
    """
    if threshold < 0:
        raise UsageError(f"subsampling with the threshold {threshold}", "0 keeps all words, 1e-3 is usual")
    if not threshold:
        return np.ones(len(counts))
    ratio = threshold * counts.sum() / np.maximum(counts, 1)
    return np.where(counts > 0, np.minimum(1.0, np.sqrt(ratio) + ratio), 1.0)
