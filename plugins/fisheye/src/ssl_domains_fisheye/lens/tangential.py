"""Tangential distortion of the unified and the perspective camera: a small shift that depends on the direction too."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import NDArray

from ssl_domains_fisheye.lens.model import LensModel

__all__ = ["shift", "without_shift"]

Floats = NDArray[np.float64]
_ROUNDS = 12
_PRECISION = 1e-9  # px


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
    """u cos φ and u sin φ of points, by Newton's steps in two dimensions from the place without the tangential terms.

    Args:
        x: Pixels from the optical centre.
        y: Likewise, already divided by the aspect ratio.
        lens: The rotationally symmetric part.
        terms: p1 and p2.

    Returns:
        Both of the same shape, without unit; NaN where nothing is imaged, or the steps do not settle.
    """
    radius = np.hypot(x, y)
    edge = polynomial.polyval(lens.last, (0.0, *lens.coefficients))
    # Beyond the edge the edge is the start: points just inside may be imaged outside of it.
    start = lens.inner(np.minimum(radius, edge))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(radius > 0, start / radius, 0.0)
    mx, my = scale * x, scale * y
    error = np.full_like(radius, np.inf)
    for _ in range(_ROUNDS):
        off_x, off_y, a, b, d = _excess(mx, my, lens, terms)
        off_x, off_y = off_x - x, off_y - y
        error = np.hypot(off_x, off_y)
        if not np.any(error > _PRECISION):
            break
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            inverse = 1 / (a * d - b * b)
            mx, my = mx - inverse * (d * off_x - b * off_y), my - inverse * (a * off_y - b * off_x)
    found = (error <= 100 * _PRECISION) & (np.hypot(mx, my) <= lens.last * (1 + 1e-12))
    return np.where(found, mx, np.nan), np.where(found, my, np.nan)


def _excess(
    mx: Floats, my: Floats, lens: LensModel, terms: tuple[float, float]
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Pixels of (u cos φ, u sin φ), and their symmetric Jacobian: ∂x/∂mx, ∂x/∂my = ∂y/∂mx, ∂y/∂my."""
    focal, (p1, p2) = lens.coefficients[0], terms
    u = np.hypot(mx, my)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        growth = polynomial.polyval(u, lens.coefficients)  # ρ/u
        bend = np.where(u > 0, polynomial.polyval(u, polynomial.polyder(lens.coefficients)) / u, 0.0)
        dx, dy = shift(mx, my, p1, p2)
        cross = bend * mx * my + 2 * focal * (p1 * mx + p2 * my)
        return (
            growth * mx + focal * dx,
            growth * my + focal * dy,
            growth + bend * mx * mx + focal * (2 * p1 * my + 6 * p2 * mx),
            cross,
            growth + bend * my * my + focal * (6 * p1 * my + 2 * p2 * mx),
        )
