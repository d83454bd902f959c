"""Cells of a grid inside polygons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["cells_inside"]


def cells_inside(
    rings: Sequence[NDArray[np.float64]], rows: NDArray[np.generic], columns: NDArray[np.generic]
) -> NDArray[np.bool_]:
    """Which cells have their middle inside an odd number of rings: inside the outer one and in none of the holes.

    For each row the places are computed where rings cross it; the number of crossings right of a cell decides.

    Args:
        rings: Closed lines, each ``[points, 2]`` with the row and the column value of each point. A ring whose last
            point is not its first is closed.
        rows: Row value of each cell, ascending.
        columns: Column value of each cell, ascending.

    Returns:
        bool ``[rows, columns]``.
    """
    inside = np.zeros((rows.size, columns.size), dtype=bool)
    starts = np.concatenate(list(rings))
    ends = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    for place, row in enumerate(np.asarray(rows, dtype=np.float64)):
        crossed = (starts[:, 0] > row) != (ends[:, 0] > row)
        if crossed.any():
            first, last = starts[crossed], ends[crossed]
            part = (row - first[:, 0]) / (last[:, 0] - first[:, 0])
            at = np.sort(first[:, 1] + part * (last[:, 1] - first[:, 1]))
            inside[place] = (at.size - np.searchsorted(at, columns, side="right")) % 2 == 1
    return inside
