"""Small helpers for arrays of positions: joined CSR rows, and the outer form of two arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["is_outer", "runs"]

Ints = NDArray[np.int64]


def runs(first: Ints, sizes: Ints) -> Ints:
    """Indices of several CSR rows joined: ``runs([5, 0], [2, 3])`` is ``[5, 6, 0, 1, 2]``.

    Args:
        first: Start of each row, int64 ``[n]``.
        sizes: Length of each row, int64 ``[n]``.

    Returns:
        int64 ``[sizes.sum()]``.
    """
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    shift: Ints = np.repeat(first - (ends - sizes), sizes)
    return shift + np.arange(total, dtype=np.int64)


def is_outer(i: Ints, j: Ints) -> bool:
    """Whether ``i [n, 1]`` and ``j [1, m]`` stand for all pairs of n with m positions."""
    return i.ndim == j.ndim == 2 and i.shape[1] == j.shape[0] == 1
