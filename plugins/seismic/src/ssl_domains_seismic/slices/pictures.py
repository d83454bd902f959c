"""Pictures of a time slice, one pixel for each cell, as data URIs."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["CLASS_COLOURS", "amplitude_picture", "class_picture"]

CLASS_COLOURS = (
    "#4a6fa5",
    "#e2cd6d",
    "#588c57",
    "#c8553d",
    "#7d5396",
    "#53b3bf",
    "#9b6a43",
    "#d88fb5",
    "#8a8f98",
    "#a8c256",
)
"""Colours of the classes in the order of their numbers; further classes begin again."""

_CLIP = 99.0  # percentile of the absolute amplitudes that is black or white


def amplitude_picture(values: NDArray[np.generic], live: NDArray[np.bool_]) -> str:
    """Amplitudes ``[inline, crossline]`` in grey, zero in the middle; cells without data are transparent."""
    numbers = np.nan_to_num(values.astype(np.float64))
    largest = float(np.percentile(np.abs(numbers[live]), _CLIP)) if live.any() else 0.0
    grey = np.clip(numbers / (largest or 1.0), -1, 1) * 127.5 + 127.5
    return _uri(np.stack([grey, np.where(live, 255, 0)], axis=2).round().astype(np.uint8), "LA")


def class_picture(classes: NDArray[np.generic], numbers: tuple[int, ...]) -> str:
    """Class numbers ``[inline, crossline]`` in colours; a number that is no class is transparent.

    Args:
        classes: The numbers.
        numbers: The class numbers in the order of their colours.
    """
    pixels = np.zeros((*classes.shape, 4), dtype=np.uint8)
    for place, number in enumerate(numbers):
        colour = CLASS_COLOURS[place % len(CLASS_COLOURS)]
        pixels[classes == number] = [*bytes.fromhex(colour[1:]), 255]
    return _uri(pixels, "RGBA")


def _uri(pixels: NDArray[np.uint8], mode: str) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels, mode=mode).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
