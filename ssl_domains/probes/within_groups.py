"""Standardise features within groups, such as speakers or scanners, whose offset and scale would hide the label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["standardised_within"]


def standardised_within(x: NDArray[Any], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Features of mean 0 and standard deviation 1 within each group, float64 ``[n, F]``.

    Mean and deviation of a test group are those of its own test rows, so what is measured is transductive: it needs
    several samples of a new group at once, though not their labels. A feature that is constant in a group is 0 there.

    Args:
        x: Features ``[n, F]``.
        groups: Group of each row ``[n]``.
    """
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    values = np.asarray(x, dtype=np.float64)
    sums = np.zeros((len(counts), values.shape[1]))
    np.add.at(sums, codes, values)
    centred = values - (sums / counts[:, None])[codes]
    squares = np.zeros_like(sums)
    np.add.at(squares, codes, centred**2)
    deviation = np.sqrt(squares / counts[:, None])
    largest = np.zeros_like(sums)
    np.maximum.at(largest, codes, np.abs(values))
    # Below this, the deviation of a constant feature is rounding.
    constant = deviation <= 1e-7 * largest
    return np.where(constant[codes], 0.0, centred / np.where(constant, 1.0, deviation)[codes])
