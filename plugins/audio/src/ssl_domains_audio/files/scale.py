"""Samples of any type of file as float32, where 1 is full scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["full_scale"]

_STEPS = {np.dtype(np.int8): 2.0**7, np.dtype(np.int16): 2.0**15, np.dtype(np.int32): 2.0**31}


def full_scale(array: NDArray[Any]) -> NDArray[np.float32]:
    """The samples as float32, where ±1 is full scale; the type tells the scale of the file.

    uint8 is ``(x − 128) / 128``, int16 ``x / 32768``, int32 ``x / 2^31``; floats stay as they are. Full-scale negative
    is exactly −1, full-scale positive one step below 1.

    Args:
        array: Samples of any shape, in the type that the reader gives.

    Raises:
        TypeError: For a type that no recording has, such as bool or int64.

    Example:
        >>> full_scale(np.array([0, 128, 255], dtype=np.uint8)).tolist()
        [-1.0, 0.0, 0.9921875]
    """
    dtype = array.dtype.newbyteorder("=")
    if dtype.kind == "f":
        return array.astype(np.float32)
    if dtype == np.uint8:
        return (array.astype(np.float32) - np.float32(128)) / np.float32(128)
    if dtype not in _STEPS:
        raise TypeError(f"samples of a recording are uint8, int16, int32 or floats, not {dtype}")
    # Powers of two: the product is exact, and int32 is rounded to float32 once.
    return array.astype(np.float32) * np.float32(1 / _STEPS[dtype])
