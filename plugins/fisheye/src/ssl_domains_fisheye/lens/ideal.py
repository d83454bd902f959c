"""The ideal fisheyes, each given by one focal length: `equidistant`, `equisolid`, `stereographic`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ssl_domains.errors import UsageError
from ssl_domains_fisheye.lens.model import LensModel
from ssl_domains_fisheye.lens.projection import HalfSine, Unified

__all__ = [
    "ALTERNATIVE",
    "EQUIDISTANT",
    "EQUISOLID",
    "NUMBERS",
    "STEREOGRAPHIC",
    "equidistant",
    "equisolid",
    "stereographic",
]

EQUIDISTANT, EQUISOLID, STEREOGRAPHIC = "equidistant", "equisolid", "stereographic"
NUMBERS = ("f",)
# What a photographer knows of an image circle instead of f: its radius in px and the full angle it shows in degrees.
ALTERNATIVE = ("radius", "fov")


def equidistant(numbers: Mapping[str, float]) -> tuple[LensModel, float | None]:
    """ρ = f·θ with f in pixels per radian, or an image circle of ``radius`` px that shows ``fov`` degrees across.

    Returns:
        The lens, and None: the aspect ratio stands in the file by itself.
    """
    f = numbers["f"] if "f" in numbers else numbers["radius"] / math.radians(numbers["fov"] / 2)
    return LensModel(EQUIDISTANT, (f,)), None


def equisolid(numbers: Mapping[str, float]) -> tuple[LensModel, float | None]:
    """ρ = 2 f sin(θ/2): equal solid angles, equal areas; f in pixels, or an image circle as in `equidistant`."""
    f = numbers["f"] if "f" in numbers else numbers["radius"] / (2 * math.sin(math.radians(numbers["fov"] / 4)))
    return LensModel(EQUISOLID, (f,), HalfSine()), None


def stereographic(numbers: Mapping[str, float]) -> tuple[LensModel, float | None]:
    """ρ = 2 f tan(θ/2): angles are kept, small circles stay circles; f in pixels, or an image circle.

    Raises:
        UsageError: When the image circle shows 360°, which this lens images at no finite distance.
    """
    if "f" in numbers:
        return LensModel(STEREOGRAPHIC, (2 * numbers["f"],), Unified(1.0)), None
    if numbers["fov"] > 359:
        raise UsageError("a stereographic lens shows less than 360°", "check 'fov', or give 'f' in pixels")
    scale = numbers["radius"] / math.tan(math.radians(numbers["fov"] / 4))
    return LensModel(STEREOGRAPHIC, (scale,), Unified(1.0)), None
