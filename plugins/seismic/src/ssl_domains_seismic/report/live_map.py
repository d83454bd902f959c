"""A map of the cells of a grid that have data, as a small picture of text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["live_map"]

_MARKS = " ░▒▓█"
_ROWS, _COLUMNS = 16, 60


def live_map(live: NDArray[np.bool_]) -> list[str]:
    """Lines of text, inlines downwards and crosslines to the right; each mark is a block of cells.

    A blank has no live cell, ``█`` only live ones; a block with some of both is never shown as one of these.

    Args:
        live: bool ``[inline, crossline]``.
    """
    rows, columns = min(_ROWS, live.shape[0]), min(_COLUMNS, live.shape[1])
    sums = np.zeros((live.shape[0] + 1, live.shape[1] + 1), dtype=np.int64)
    sums[1:, 1:] = live.cumsum(axis=0).cumsum(axis=1)
    top, left = (
        np.linspace(0, side, num=count + 1).astype(np.int64)
        for side, count in zip(live.shape, (rows, columns), strict=True)
    )
    corners = sums[np.ix_(top, left)]
    inside = corners[1:, 1:] - corners[:-1, 1:] - corners[1:, :-1] + corners[:-1, :-1]
    share = inside / (np.diff(top)[:, None] * np.diff(left)[None, :])
    level = np.clip(np.ceil(share * 4), 0, 4).astype(np.int64)
    level[(level == 4) & (share < 1)] = 3
    return ["".join(_MARKS[one] for one in line) for line in level.tolist()]
