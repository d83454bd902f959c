"""Draws words from a noise distribution in constant time each, by the alias method."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.losses.neg import unigram_noise

__all__ = ["Noise"]


class Noise:
    """The noise distribution p_n(w) ∝ count(w)^exponent, and draws from it.

    Each word is a column of equal width that holds its own share and that of one other word, its alias (Walker 1977;
    Vose 1991): a draw is one uniform number. Its whole part is the column, and its fraction decides between the two.

    Args:
        counts: How often each word occurs, int64 ``[V]``; words that never occur are never drawn.
        exponent: 0.75 for word2vec, 1 for the unigram distribution, 0 for all words that occur alike.

    Attributes:
        probability: p_n, float64 ``[V]``.
    """

    def __init__(self, counts: NDArray[np.int64], exponent: float) -> None:
        self.probability: NDArray[np.float64] = unigram_noise(torch.from_numpy(counts), exponent).numpy()
        self._own, self._alias = _columns(self.probability)

    @property
    def log_probability(self) -> NDArray[np.float64]:
        """log p_n; −∞ for words that are never drawn."""
        with np.errstate(divide="ignore"):
            return np.log(self.probability)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.int32]:
        """Draw words, int32 of the given shape."""
        uniform = rng.random(shape) * len(self._own)
        column = uniform.astype(np.int32)
        uniform -= column
        drawn: NDArray[np.int32] = np.where(uniform < self._own[column], column, self._alias[column])
        return drawn


def _columns(probability: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Share of its own column that each word has, and the word that has the rest."""
    share = probability * len(probability)
    alias = np.arange(len(share), dtype=np.int32)
    poor = np.flatnonzero(share < 1).tolist()
    rich = np.flatnonzero(share >= 1).tolist()
    left = share.tolist()
    while poor and rich:
        small, large = poor.pop(), rich[-1]
        alias[small] = large
        left[large] -= 1 - left[small]
        if left[large] < 1:
            poor.append(rich.pop())
    own = np.asarray(left)
    own[poor + rich] = np.where(probability[poor + rich] > 0, 1.0, own[poor + rich])  # what rounding left over
    return own, alias
