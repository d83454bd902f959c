"""Grey pictures of lines as amounts of ink: 0 is paper, 1 the full range of the type away from it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError

__all__ = ["grey_of", "ink_of"]

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as Pillow converts


def grey_of(array: NDArray[Any]) -> NDArray[np.float32]:
    """A picture ``[H, W]`` or ``[H, W, C]`` of 1 or 3 channels as grey, float32 ``[H, W]`` in [0, 1].

    Whole numbers are divided by the largest of their type. Floats are taken as they are, cut to [0, 1]; what is not
    finite becomes 0.

    Raises:
        DataError: For another rank or number of channels, or a picture without pixels.
    """
    picture = array[:, :, None] if array.ndim == 2 else array
    if picture.ndim != 3 or picture.shape[2] not in (1, 3) or not picture.size:
        raise DataError(f"a line has shape {list(array.shape)}", "the preprocess takes [H, W], [H, W, 1] or [H, W, 3]")
    values = picture.astype(np.float32)
    if array.dtype.kind in "ui":
        values /= np.float32(np.iinfo(array.dtype).max)
    elif array.dtype.kind == "f":
        values = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0)
    grey = values[:, :, 0] if picture.shape[2] == 1 else values @ _LUMA
    return np.asarray(np.clip(grey, 0.0, 1.0), dtype=np.float32)


def ink_of(
    grey: NDArray[np.float32], ink: Literal["auto", "dark", "light"], paper: Literal["line", "fixed"]
) -> NDArray[np.float32]:
    """The amount of ink, float32 ``[H, W]`` in [0, 1].

    Args:
        grey: ``[H, W]`` in [0, 1].
        ink: Side of the ink. ``"auto"`` takes the side on which the squares of the differences from the median sum up
            to more, which is that of the strokes: paper differs little.
        paper: ``"line"``: paper is the median of the picture, as ink covers less than half of a line. ``"fixed"``:
            paper is white, or black where the ink is light.
    """
    median = np.float32(np.median(grey))
    difference = median - grey
    if ink == "auto":
        dark = float(np.square(np.maximum(difference, 0), dtype=np.float64).sum())
        light = float(np.square(np.maximum(-difference, 0), dtype=np.float64).sum())
        ink = "dark" if dark >= light else "light"
    if paper == "fixed":
        return 1 - grey if ink == "dark" else grey
    return np.asarray(np.maximum(difference if ink == "dark" else -difference, 0), dtype=np.float32)
