"""Tangential distortion of the unified and the perspective camera: a small shift that depends on the direction too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains_fisheye.lens.model import LensModel

__all__ = ["shift", "without_shift"]

Floats = NDArray[np.float64]
_ROUNDS = 50
_PRECISION = 1e-10  # px


def shift(x: Floats, y: Floats, p1: float, p2: float) -> tuple[Floats, Floats]:
    """(2 p1 xy + p2 (r² + 2x²), p1 (r² + 2y²) + 2 p2 xy), the terms that OpenCV calls p1 and p2.

    Args:
        x: u cos φ, without unit.
        y: u sin φ.
        p1: Without unit.
        p2: Likewise.

    Returns:
        The shift along x and y; times the focal length it is in pixels.
    """
    square = x * x + y * y
    return 2 * p1 * x * y + p2 * (square + 2 * x * x), p1 * (square + 2 * y * y) + 2 * p2 * x * y


def without_shift(x: Floats, y: Floats, lens: LensModel, terms: tuple[float, float]) -> tuple[Floats, Floats]:
    """Where points would be imaged without the tangential terms, found by iterating from the points themselves.

    Args:
        x: Pixels from the optical centre.
        y: Likewise, already divided by the aspect ratio.
        lens: The rotationally symmetric part.
        terms: p1 and p2.

    Returns:
        x and y of the same shape; NaN where the iteration does not settle.
    """
    focal = lens.coefficients[0]
    edge = float(lens.radius(lens.limit))
    px, py = x, y
    change = np.zeros_like(x)
    for _ in range(_ROUNDS):
        radius = np.hypot(px, py)
        with np.errstate(divide="ignore", invalid="ignore"):
            # Beyond the edge of what is imaged its shift is used: points just inside may come from outside.
            inner = lens.projection.of(lens.angle(np.minimum(radius, edge)))
            scale = np.where(radius > 0, inner / radius, 0.0)
        dx, dy = shift(scale * px, scale * py, *terms)
        new_x, new_y = x - focal * dx, y - focal * dy
        change = np.hypot(new_x - px, new_y - py)
        px, py = new_x, new_y
        if not np.any(change > _PRECISION):
            break
    settled = change <= 100 * _PRECISION
    return np.where(settled, px, np.nan), np.where(settled, py, np.nan)
