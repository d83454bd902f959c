"""The part of a picture that a row shows: the box with its context, and the cut itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError

__all__ = ["crop_columns", "cut"]


def crop_columns(edges: tuple[float, float, float, float], margin: float, size: tuple[int, int]) -> dict[str, int]:
    """The columns ``crop_left`` … ``crop_bottom``: whole pixels around a box, within its picture.

    Args:
        edges: Left, top, right and bottom of the box in px.
        margin: Context on each side, as a share of the larger side of the box.
        size: Width and height of the picture.
    """
    left, top, right, bottom = edges
    extra = margin * max(right - left, bottom - top)
    return {
        "crop_left": max(0, int(np.floor(left - extra))),
        "crop_top": max(0, int(np.floor(top - extra))),
        "crop_right": min(size[0], int(np.ceil(right + extra))),
        "crop_bottom": min(size[1], int(np.ceil(bottom + extra))),
    }


def cut(pixels: NDArray[np.generic], row: Mapping[str, Any]) -> NDArray[np.generic]:
    """The crop of a row out of the pixels ``[H, W, C]`` of its picture; all of them where the row has no box.

    Raises:
        ReadError: When the picture has another size than at the scan, or the crop reaches beyond it.
    """
    height, width = pixels.shape[:2]
    known = (row.get("image_width") or width, row.get("image_height") or height)
    if known != (width, height):
        # Another picture of the same name, whose boxes are elsewhere.
        raise ReadError(f"it has {width}×{height} px, and had {known[0]}×{known[1]} at the scan: scan again")
    edges = [row.get(f"crop_{edge}", row.get(edge)) for edge in ("left", "top", "right", "bottom")]
    if any(edge is None for edge in edges):
        return np.ascontiguousarray(pixels)
    left, top = int(np.floor(edges[0])), int(np.floor(edges[1]))
    right, bottom = int(np.ceil(edges[2])), int(np.ceil(edges[3]))
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise ReadError(f"the crop ({left}, {top}, {right}, {bottom}) is outside the image of {width}×{height}")
    return np.ascontiguousarray(pixels[top:bottom, left:right])
