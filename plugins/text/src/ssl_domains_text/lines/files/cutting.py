"""Cuts a line out of the picture of its page by its outline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError

__all__ = ["cut_line", "outline_points"]


def outline_points(outline: str) -> NDArray[np.int32]:
    """Corners of an outline ``"x,y x,y …"``, int32 ``[n, 2]``, in pixels.

    Raises:
        ReadError: When it is no such text.
    """
    try:
        points = [[int(number) for number in pair.split(",")] for pair in outline.split()]
        made = np.array(points, dtype=np.int32).reshape(-1, 2)
    except (ValueError, OverflowError) as error:
        raise ReadError(f"the outline {outline[:40]!r} is no list of points") from error
    if len(made) < 3:
        raise ReadError(f"the outline {outline[:40]!r} has {len(made)} points")
    return made


def cut_line(page: NDArray[Any], outline: str) -> NDArray[Any]:
    """The box around an outline, ``[h, w, C]``; what lies outside the outline gets the median colour inside.

    The median is that of the paper, as ink covers less than half of a line.

    Args:
        page: ``[H, W, C]``.
        outline: Corners, ``"x,y x,y …"``; the pixels of the corners belong to the line.

    Raises:
        ReadError: When the outline is none, or lies outside the page.
    """
    points = outline_points(outline)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0) + 1
    height, width = page.shape[:2]
    if left < 0 or top < 0 or right > width or bottom > height:
        raise ReadError(f"the line lies outside its page of {width} × {height} pixels")
    made = page[top:bottom, left:right].copy()
    mask = np.zeros(made.shape[:2], dtype=np.uint8)
    corners: Sequence[NDArray[np.int32]] = [points - np.array([left, top], dtype=np.int32)]
    cv2.fillPoly(mask, corners, 1)
    inside = mask.astype(bool)
    if not inside.all() and inside.any():
        made[~inside] = np.median(made[inside], axis=0).astype(made.dtype)
    return made
