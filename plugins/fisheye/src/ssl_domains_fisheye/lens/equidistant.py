"""`equidistant`, the ideal fisheye of circular photographs: equal angles, equal distances."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ssl_domains_fisheye.lens.model import LensModel

__all__ = ["ALTERNATIVE", "NAME", "NUMBERS", "lens"]

NAME = "equidistant"
NUMBERS = ("f",)
# What a photographer knows of an image circle instead of f: its radius in px and the full angle it shows in degrees.
ALTERNATIVE = ("radius", "fov")


def lens(numbers: Mapping[str, float]) -> tuple[LensModel, float | None]:
    """ρ = f·θ with f in pixels per radian, or an image circle of ``radius`` px that shows ``fov`` degrees across.

    Returns:
        The lens, and None: the aspect ratio stands in the file by itself.
    """
    f = numbers["f"] if "f" in numbers else numbers["radius"] / math.radians(numbers["fov"] / 2)
    return LensModel(NAME, (f,)), None
