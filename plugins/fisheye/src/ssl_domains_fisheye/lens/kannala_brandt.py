"""`kannala_brandt`, the model of OpenCV's fisheye module."""

from __future__ import annotations

from collections.abc import Mapping

from ssl_domains_fisheye.lens.model import LensModel

__all__ = ["NAME", "NUMBERS", "lens"]

NAME = "kannala_brandt"
NUMBERS = ("fx", "fy", "k1", "k2", "k3", "k4")


def lens(numbers: Mapping[str, float]) -> tuple[LensModel, float | None]:
    """ρ = f·θ(1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸): k1–k4 have no unit, f is in pixels.

    Kannala & Brandt 2006, *A generic camera model and calibration method for conventional, wide-angle, and fish-eye
    lenses*.

    Returns:
        The lens along x, and the aspect ratio fy/fx.
    """
    f = numbers["fx"]
    odd = (1.0, numbers["k1"], numbers["k2"], numbers["k3"], numbers["k4"])
    coefficients = [0.0] * 9
    coefficients[::2] = [f * k for k in odd]
    return LensModel(NAME, tuple(coefficients)), numbers["fy"] / f if f else None
