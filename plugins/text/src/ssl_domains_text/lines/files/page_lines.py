"""What an XML file says of a page: its picture, its size, and its lines."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["PageLine", "PageLines", "outline"]


class PageLine(NamedTuple):
    """A line of a page.

    Attributes:
        id: Its id in the file; empty for none.
        points: Corners of its outline, ``[x0, y0, x1, y1, …]`` in the unit of the file; empty where it has none.
        text: Its transcript; None where it has none.
        words: Whether the transcript was put together from those of its words.
    """

    id: str
    points: list[float]
    text: str | None
    words: bool = False


class PageLines(NamedTuple):
    """The lines of one page.

    Attributes:
        form: ``"PAGE"`` or ``"ALTO"``.
        picture: File name of the picture, as written; empty for none.
        width: Width of the page in the unit of the file; 0 where it isn't stated.
        height: Height, likewise.
        pixels: Whether the unit is the pixel.
        lines: The lines, in the order of the file.
        other_pages: Number of further pages in the file, which are not read.
    """

    form: str
    picture: str
    width: float
    height: float
    pixels: bool
    lines: list[PageLine]
    other_pages: int = 0

    @classmethod
    def of_json(cls, values: list[Any]) -> PageLines:
        """The reverse of storing it as JSON, which turns named tuples into lists."""
        form, picture, width, height, pixels, lines, other = values
        return cls(form, picture, width, height, pixels, [PageLine(*line) for line in lines], other)


def outline(points: list[float]) -> list[float]:
    """The points of an outline; none where they enclose nothing."""
    xs, ys = points[0::2], points[1::2]
    if len(points) < 4 or len(points) % 2 or max(xs) - min(xs) <= 0 or max(ys) - min(ys) <= 0:
        return []
    if len(points) == 4:  # two corners of a box
        (left, top, right, bottom) = points
        return [left, top, right, top, right, bottom, left, bottom]
    return points
