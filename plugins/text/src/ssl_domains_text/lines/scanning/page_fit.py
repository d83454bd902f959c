"""How the coordinates of a page fit its picture: their scale, and whether they were drawn on the turned picture."""

from __future__ import annotations

from typing import NamedTuple

from ssl_domains_text.lines.files.page_lines import PageLines
from ssl_domains_text.lines.files.picture import PictureHeader

__all__ = ["PageFit", "page_fit"]

_SAME_SHAPE = 0.01  # largest difference of the two scales of a resized copy


class PageFit(NamedTuple):
    """The picture on which the lines of a page were drawn.

    Attributes:
        size: Width and height of the picture in pixels, as it was drawn on.
        scale: Its pixels for a unit of the file, across and down.
        as_stored: Whether it was drawn on as it is stored, without being turned by its orientation tag.
    """

    size: tuple[int, int]
    scale: tuple[float, float]
    as_stored: bool = False


def page_fit(page: PageLines, header: PictureHeader) -> PageFit | str:
    """How the lines of a page fit its picture; or why they don't.

    A picture with an orientation tag was drawn on as viewers show it, or as it is stored: the one of the size that the
    file states, else of its shape. Where both are, or no size is stated, it is the one that viewers show.
    """
    if page.width <= 0 or page.height <= 0:
        if page.pixels:
            return PageFit(header.size, (1.0, 1.0))
        return "the file counts in another unit than pixels, and states no size of its page"
    stated = round(page.width), round(page.height)
    ways = [(header.size, False)] + ([(header.stored, True)] if header.orientation != 1 else [])
    for size, as_stored in ways:
        if size == stated:
            return PageFit(size, (1.0, 1.0), as_stored)
    for size, as_stored in ways:
        across, down = size[0] / page.width, size[1] / page.height
        if abs(across / down - 1) <= _SAME_SHAPE:
            return PageFit(size, (across, down), as_stored)
    return (
        f"the file is of a page of {page.width:g} × {page.height:g}, its picture has {header.width} × {header.height} "
        "pixels: another shape (a turned or cut picture?)"
    )
