"""Move each column of a picture up or down: the reference of the steps that move traces in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["column_shifted"]


def column_shifted(image: NDArray[np.float32], down: NDArray[np.float64]) -> NDArray[np.float32]:
    """Move columns by any number of rows, by linear interpolation between two rows.

    Args:
        image: ``[S, S, C]``.
        down: Rows by which each column moves downwards, ``[S]``. Beyond its border the picture is reflected:
            ``cba|abc|cba``.
    """
    size = len(image)
    place = np.abs(np.arange(size)[:, None] - down + 0.5) % (2 * size)
    place = np.clip(np.minimum(place, 2 * size - place) - 0.5, 0, size - 1)
    above = np.floor(place).astype(np.int64)
    below = np.minimum(above + 1, size - 1)
    column, weight = np.arange(size)[None, :], (place - above)[:, :, None]
    return np.asarray((1 - weight) * image[above, column] + weight * image[below, column], dtype=np.float32)
