"""A hand-made feature of lines: how much ink there is, how thick and how slanted the strokes are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BANDS", "SLANTS", "stroke_statistics"]

BANDS, SLANTS = 8, 6


def stroke_statistics(inputs: NDArray[Any]) -> NDArray[np.float64]:
    """Statistics of strips, float64 ``[n, 3 + 8 + 6]``; they tell hands apart and know no letter.

    Mean ink; number of strokes that rows, and that columns cross, divided by the number of pixels; the share of the ink
    in each of eight bands from top to bottom; a histogram of the directions of the gradient over six angles up to 180°.

    Args:
        inputs: Strips, float32 ``[n, 1, H, W]`` in [0, 1].
    """
    ink = np.asarray(inputs, dtype=np.float64)[:, 0]
    count, height, width = ink.shape
    drawn = ink > 0.5 * np.maximum(ink.max(axis=(1, 2), keepdims=True), 1e-9)
    rows = (drawn[:, :, 1:] & ~drawn[:, :, :-1]).sum(axis=(1, 2)) / (height * width)
    columns = (drawn[:, 1:] & ~drawn[:, :-1]).sum(axis=(1, 2)) / (height * width)
    total = np.maximum(ink.sum(axis=(1, 2)), 1e-9)
    edges = np.linspace(0, height, BANDS + 1).round().astype(int)
    bands = np.stack([ink[:, a:b].sum(axis=(1, 2)) / total for a, b in pairwise(edges)], axis=1)
    down, across = np.gradient(ink, axis=(1, 2)) if min(height, width) > 1 else (np.zeros_like(ink), np.zeros_like(ink))
    angle, size = np.arctan2(down, across) % np.pi, np.hypot(down, across)
    bins = np.minimum((angle / np.pi * SLANTS).astype(int), SLANTS - 1)
    slants = np.stack([(size * (bins == k)).sum(axis=(1, 2)) for k in range(SLANTS)], axis=1)
    slants /= np.maximum(slants.sum(axis=1, keepdims=True), 1e-9)
    first = np.stack([ink.mean(axis=(1, 2)), rows, columns], axis=1)
    return np.concatenate([first, bands, slants], axis=1).reshape(count, 3 + BANDS + SLANTS)
