"""Resize pictures of any shape to a square canvas of one size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError

__all__ = ["Canvas"]


@dataclass(frozen=True)
class Canvas:
    """A square that pictures are resized to: by area average where they shrink, bilinear where they grow.

    Attributes:
        size: Side in pixels.
        mode: ``stretch`` fills the square. ``fit`` keeps the aspect ratio, puts the picture in the middle and pads by
            reflection, because an encoder could read the aspect ratio from padding of one colour.
        fill: What the padding of ``fit`` holds: ``reflect`` the picture, mirrored; ``zero`` zeros, for runs that were
            trained with these.
    """

    size: int
    mode: Literal["stretch", "fit"] = "stretch"
    fill: Literal["reflect", "zero"] = "reflect"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise UsageError(f"a canvas of {self.size} pixels", "give a size of at least 1")
        if self.mode not in ("stretch", "fit"):
            raise UsageError(f"unknown canvas {self.mode!r}", "known: fit, stretch")
        if self.fill not in ("reflect", "zero"):
            raise UsageError(f"unknown padding of a canvas {self.fill!r}", "known: reflect, zero")

    def box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Place of a picture of that shape on the canvas: top, left, height and width, in pixels of the canvas."""
        if self.mode == "stretch":
            return 0, 0, self.size, self.size
        scale = self.size / max(height, width)
        new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
        return (self.size - new_height) // 2, (self.size - new_width) // 2, new_height, new_width

    def apply(
        self, array: NDArray[Any], valid: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Resize a picture and put it on the canvas.

        Args:
            array: ``[H, W, C]``, uint8 or float32, 0 where invalid.
            valid: bool ``[H, W]`` or None for all.

        Returns:
            The canvas ``[size, size, C]`` in the type of ``array``, and the mask, bool ``[size, size]``: false in the
            padding and where data is missing. The mask is None for a stretched picture that is valid throughout.
            Padding holds reflected values, missing data inside the picture holds 0.
        """
        top, left, new_height, new_width = self.box(*array.shape[:2])
        picture = _resize(array, new_height, new_width)
        kept: NDArray[np.bool_] | None = None
        if valid is not None:
            weight = _resize(valid[:, :, None].astype(np.float32), new_height, new_width)[:, :, 0]
            kept = weight >= 0.5
            # Mean over the valid source pixels only: invalid ones hold 0 and would darken the result.
            mean = picture / np.maximum(weight, 0.5)[:, :, None] * kept[:, :, None]
            picture = mean.clip(0, 1).astype(np.float32) if array.dtype == np.float32 else mean.astype(array.dtype)
        if self.mode == "stretch":
            return picture, kept
        inside = np.s_[top : top + new_height, left : left + new_width]
        rows, columns = _reflected(self.size, top, new_height), _reflected(self.size, left, new_width)
        canvas = picture[rows[:, None], columns[None, :]]
        mask = np.zeros((self.size, self.size), dtype=np.bool_)
        mask[inside] = True if kept is None else kept
        if self.fill == "zero":
            placed = np.zeros_like(canvas)
            placed[inside] = picture
            canvas = placed
        return canvas, mask


def _reflected(size: int, start: int, length: int) -> NDArray[np.int64]:
    """The picture's row for each row of the canvas, reflected at both edges: ``cba|abc|cba`` for a picture ``abc``.

    Args:
        size: Rows of the canvas.
        start: Where the picture starts on the canvas.
        length: Rows of the picture. Padding longer than the picture is reflected several times; a picture of one row
            is repeated.
    """
    place = (np.arange(size, dtype=np.int64) - start) % (2 * length)
    return np.minimum(place, 2 * length - 1 - place)


def _resize(array: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """``[H, W, C]`` to ``[height, width, C]``; each axis by area average if it shrinks, linear if it grows."""
    shrunk = min(height, array.shape[0]), min(width, array.shape[1])
    if shrunk != array.shape[:2]:
        array = _interpolate(array, *shrunk, cv2.INTER_AREA)
    if shrunk != (height, width):
        array = _interpolate(array, height, width, cv2.INTER_LINEAR)
    return array


def _interpolate(array: NDArray[Any], height: int, width: int, how: int) -> NDArray[Any]:
    # OpenCV guarantees resizing for at most four channels, so more are resized in groups of four.
    parts = [
        cv2.resize(np.ascontiguousarray(array[:, :, start : start + 4]), (width, height), interpolation=how)
        for start in range(0, array.shape[2], 4)
    ]
    return np.concatenate([part.reshape(height, width, -1) for part in parts], axis=2)
