"""Glyphs side by side on one strip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["lay_out", "left_edges"]


def lay_out(
    pieces: Sequence[NDArray[np.float32]], gaps: Sequence[int], middles: Sequence[float], height: int, margin: int
) -> NDArray[np.float32]:
    """The ink of a strip, float32 ``[height, W]`` in [0, 1]; where glyphs overlap, the darker ink counts.

    Args:
        pieces: Ink of each glyph from left to right, float32 ``[h, w]``, no higher than the strip.
        gaps: Pixels between neighbours, one fewer than there are glyphs; negative ones let glyphs overlap.
        middles: Where the middle of each glyph lies, in pixels below the top. A glyph that would stick out is moved
            back.
        height: Height of the strip in pixels.
        margin: Pixels left of the first and right of the last glyph.
    """
    lefts = left_edges(pieces, gaps, margin)
    ink = np.zeros((height, lefts[-1] + margin), dtype=np.float32)
    for piece, left, middle in zip(pieces, lefts, middles, strict=False):
        left = max(0, left)
        top = int(np.clip(round(middle - piece.shape[0] / 2), 0, height - piece.shape[0]))
        area = ink[top : top + piece.shape[0], left : left + piece.shape[1]]
        np.maximum(area, piece[:, : area.shape[1]], out=area)
    return ink


def left_edges(pieces: Sequence[NDArray[np.float32]], gaps: Sequence[int], margin: int) -> list[int]:
    """Left edge of each glyph in pixels, and behind them the right edge of the last one."""
    widths = [piece.shape[1] + gap for piece, gap in zip(pieces, [*gaps, 0], strict=True)]
    return [int(edge) for edge in np.cumsum([margin, *widths])]
