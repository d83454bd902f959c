"""Choosing k of n without replacement, for any number of sets at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["choose"]

Ints = NDArray[np.int64]


def choose(sizes: Ints, k: int, rng: np.random.Generator) -> Ints:
    """Choose ``k`` of ``range(size)`` for each size, every choice being equally likely.

    Floyd's algorithm (Bentley & Floyd, "A sample of brilliance", 1987); each step is done for all sets at once.

    Args:
        sizes: int64 ``[n]``.
        k: How many.
        rng: Generator.

    Returns:
        int64 ``[n, k]``: ``k`` different numbers where ``size >= k``; else all numbers, repeated in order from a random
        start; −1 where the size is 0.
    """
    chosen = np.full((len(sizes), k), -1, dtype=np.int64)
    scarce = sizes < k
    start = rng.integers(0, np.maximum(sizes, 1))
    for t in range(k):
        top = np.where(scarce, 0, sizes - k + t)
        pick = rng.integers(0, top + 1)
        taken = (chosen[:, :t] == pick[:, None]).any(1)
        chosen[:, t] = np.where(scarce, (start + t) % np.maximum(sizes, 1), np.where(taken, top, pick))
    chosen[sizes == 0] = -1
    return chosen
