"""The outline of a line on the picture of its page: whole pixels, cut at the edges of the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ssl_domains_text.lines.scanning.line import unusable

__all__ = ["OUTSIDE", "LineBox", "line_box"]

OUTSIDE = "more than a tenth of the line lies outside its picture"
"""Why the label of such a line is left out: it names letters that its picture doesn't show."""

_ROUNDING = 1.5  # pixels beyond an edge that come of how programs count pixels
_SLACK = 4  # pixels beyond an edge that take no letter away, however small the line is
_MOST_OUTSIDE = 0.1


class LineBox(NamedTuple):
    """A line that can be cut out of its page.

    Attributes:
        outline: Corners ``"x,y x,y …"`` in pixels, all inside the picture.
        width: Width of the box around them, in pixels.
        height: Its height.
        clipped: Whether the line reaches beyond an edge by more than a rounding.
        outside: Whether more than a tenth of its box lies beyond the edges, so that its label no longer fits.
    """

    outline: str
    width: int
    height: int
    clipped: bool
    outside: bool


def line_box(points: Sequence[float], size: tuple[int, int], scale: tuple[float, float]) -> LineBox | str:
    """The outline of a line in pixels of the picture; or why the line can't be cut.

    Args:
        points: Corners ``[x0, y0, x1, y1, …]`` in the unit of the file; none for a line without an outline.
        size: Width and height of the picture in pixels.
        scale: Pixels for a unit of the file, across and down.
    """
    if not points:
        return "a line without an outline (Coords, polygon or box)"
    across, down = [x * scale[0] for x in points[0::2]], [y * scale[1] for y in points[1::2]]
    xs, ys = _inside(across, size[0]), _inside(down, size[1])
    width, height = max(xs) - min(xs) + 1, max(ys) - min(ys) + 1
    if width <= 1 or height <= 1:
        return "a line whose outline lies outside its picture"
    bad = unusable(width, height)
    if bad:
        return bad
    beyond = max(-min(across), -min(down), max(across) - size[0], max(down) - size[1])
    shown = _shown(across, size[0]) * _shown(down, size[1])
    outline = " ".join(f"{x},{y}" for x, y in zip(xs, ys, strict=True))
    outside = beyond > _SLACK and shown < 1 - _MOST_OUTSIDE
    return LineBox(outline, width, height, beyond > _ROUNDING, outside)


def _inside(values: Sequence[float], side: int) -> list[int]:
    """Coordinates as numbers of pixels; those beyond an edge become its last pixel."""
    return [min(max(math.floor(value), 0), side - 1) for value in values]


def _shown(values: Sequence[float], side: int) -> float:
    """Share of the range of some coordinates that lies between 0 and ``side``."""
    low, high = min(values), max(values)
    return (min(high, side) - max(low, 0)) / (high - low)
