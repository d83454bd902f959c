"""One annotated object, as every format says it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from ssl_domains.samples import ReadError

__all__ = ["Box", "clip", "number"]


@dataclass(frozen=True)
class Box:
    """A box in pixels of its image, from the image's edges: a box over the whole picture is (0, 0, width, height).

    Attributes:
        number: Which object of its image, counted or named by the file; unique in the image.
        name: Class name, None when the file gives none.
        file: The file it was read from, for problems.
        where: Where in it: "line 3", "annotation 17".
    """

    number: str
    name: str | None
    left: float
    top: float
    right: float
    bottom: float
    file: Path
    where: str


def number(text: str, what: str) -> float:
    """A finite number of a field.

    Raises:
        ReadError: When it is none.
    """
    try:
        # Python also reads "1_000", which no format means.
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        shown = text.strip()
        raise ReadError(f"{what} is {shown[:40] + '…' if len(shown) > 40 else shown!r}, not a number")
    return value


def clip(box: Box, width: int, height: int) -> Box:
    """The part of a box that is in the image.

    Raises:
        ReadError: When nothing is, or the box has no area.
    """
    shown = f"({box.left:g}, {box.top:g}, {box.right:g}, {box.bottom:g})"
    if box.right <= box.left or box.bottom <= box.top:
        raise ReadError(f"{box.where}: box {shown} has no area")
    inside = replace(
        box,
        left=max(box.left, 0.0),
        top=max(box.top, 0.0),
        right=min(box.right, float(width)),
        bottom=min(box.bottom, float(height)),
    )
    if inside.right - inside.left < 1 or inside.bottom - inside.top < 1:
        raise ReadError(f"{box.where}: box {shown} is outside the image of {width}×{height}, or under a pixel")
    return inside
