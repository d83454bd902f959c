"""Thumbnails of lines: as they are in their file, folded into rows so that they fit a square."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ssl_domains_text.lines.inputs.ink import grey_of

__all__ = ["thumbnail"]

_SIDE = 192
_GAP = 3  # pixels between rows
_MOST_ROWS = 6
_WIDE = 1.5  # a row is about so many times wider than all rows are high


def thumbnail(array: NDArray[Any], row: Mapping[str, Any]) -> NDArray[np.uint8]:
    """A line as a grey picture, uint8 ``[192, 192, 1]``, folded into rows; reading goes on in the next row.

    The first row is the beginning of a line from left to right; a line from right to left begins at the right end of
    the first row. The picture has the colours of its file.

    Args:
        array: ``[H, W, C]``.
        row: Its row; ``direction`` is read.
    """
    grey = grey_of(array)
    paper = float(np.median(grey))
    height, width = grey.shape
    rows = int(min(max(1, round((width / height / _WIDE) ** 0.5)), _MOST_ROWS))
    part = -(-width // rows)
    right = row.get("direction") == "rtl"
    sheet = np.full((_SIDE, _SIDE), paper, dtype=np.float32)
    tall = (_SIDE - _GAP * (rows - 1)) // rows
    scale = min(_SIDE / part, tall / height)
    top = max(0, (_SIDE - rows * max(1, round(height * scale)) - _GAP * (rows - 1)) // 2)
    for number in range(rows):
        piece = (
            grey[:, max(0, width - (number + 1) * part) : width - number * part]
            if right
            else (grey[:, number * part : (number + 1) * part])
        )
        if not piece.shape[1]:
            continue
        size = max(1, round(piece.shape[1] * scale)), max(1, round(height * scale))
        small = cv2.resize(piece, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        left = _SIDE - size[0] if right else 0
        sheet[top : top + size[1], left : left + size[0]] = small[: _SIDE - top]
        top += size[1] + _GAP
    return np.rint(sheet * 255).astype(np.uint8)[:, :, None]
