"""The function u(θ) that a lens model puts the angle into before its polynomial: ρ(θ) = Σ cᵢ u(θ)ⁱ."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["ANGLE", "Angle", "HalfSine", "Projection", "Unified", "projection_of"]

Floats = NDArray[np.float64]
_LARGEST = 1e4  # a picture reaches at most so many focal lengths from its centre, where u(θ) has no bound of its own


class Projection(ABC):
    """A function u(θ) with u(0) = 0 that grows up to the angle where u is `end`; its inverse is in closed form.

    Attributes:
        code: Number that names the function in the column ``lens_projection`` of a sample table.
    """

    code: ClassVar[int]

    @property
    @abstractmethod
    def end(self) -> float:
        """The largest u: there du/dθ is 0, θ is π, or u is 10,000."""

    @abstractmethod
    def of(self, theta: Floats) -> Floats:
        """u(θ), θ in radians; meaningless beyond the angle of `end`."""

    @abstractmethod
    def slope(self, theta: Floats) -> Floats:
        """du/dθ."""

    @abstractmethod
    def angle(self, u: Floats) -> Floats:
        """θ(u) in radians, for u from 0 to `end`."""

    def grid(self, last: float, count: int) -> Floats:
        """``count`` values of u from 0 to ``last``, close to each other near 0, for the table that inverts ρ."""
        grid = np.sinh(np.linspace(0.0, math.asinh(last), count))
        grid[-1] = last
        return grid


@dataclass(frozen=True)
class Angle(Projection):
    """u = θ: radial_poly, Kannala–Brandt, equidistant."""

    code: ClassVar[int] = 0

    @property
    def end(self) -> float:
        """π."""
        return float(np.pi)

    def of(self, theta: Floats) -> Floats:
        """θ itself."""
        return theta

    def slope(self, theta: Floats) -> Floats:
        """1."""
        return np.ones_like(theta)

    def angle(self, u: Floats) -> Floats:
        """θ itself."""
        return u

    def grid(self, last: float, count: int) -> Floats:
        """Equal steps."""
        return np.linspace(0.0, last, count)


ANGLE = Angle()


@dataclass(frozen=True)
class HalfSine(Projection):
    """u = 2 sin(θ/2): equisolid."""

    code: ClassVar[int] = 2

    @property
    def end(self) -> float:
        """2, at θ = π."""
        return 2.0

    def of(self, theta: Floats) -> Floats:
        """2 sin(θ/2)."""
        return 2.0 * np.sin(theta / 2)

    def slope(self, theta: Floats) -> Floats:
        """cos(θ/2)."""
        return np.cos(theta / 2)

    def angle(self, u: Floats) -> Floats:
        """2 asin(u/2)."""
        return 2.0 * np.arcsin(np.clip(u / 2, 0.0, 1.0))


@dataclass(frozen=True)
class Unified(Projection):
    """u = sin θ / (cos θ + ξ), the unified (MEI) model: a unit sphere seen from ξ behind its centre.

    ξ = 0 is the perspective camera (tan θ), ξ = 1 is stereographic (tan θ/2). Written in half angles, so that nothing
    cancels near the end of the range.

    Args:
        xi: ξ ≥ 0, the distance from the sphere's centre, in radii.
    """

    xi: float
    code: ClassVar[int] = 1

    @property
    def end(self) -> float:
        """1/√(ξ²−1) for ξ > 1, where cos θ = −1/ξ; else u has no bound of its own."""
        return min(1 / math.sqrt(self.xi**2 - 1), _LARGEST) if self.xi > 1 else _LARGEST

    def of(self, theta: Floats) -> Floats:
        """sin θ / (cos θ + ξ)."""
        sine, cosine = np.sin(theta / 2), np.cos(theta / 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(2 * sine * cosine / ((1 + self.xi) * cosine**2 - (1 - self.xi) * sine**2))

    def slope(self, theta: Floats) -> Floats:
        """(1 + ξ cos θ) / (cos θ + ξ)²."""
        sine, cosine = np.sin(theta / 2), np.cos(theta / 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            below = ((1 + self.xi) * cosine**2 - (1 - self.xi) * sine**2) ** 2
            return np.asarray((1 + self.xi * np.cos(theta)) / below)

    def angle(self, u: Floats) -> Floats:
        """θ = 2 atan(u (1+ξ) / (1 + √(1 + u² (1−ξ²))))."""
        root = np.sqrt(np.maximum(1 + u**2 * (1 - self.xi**2), 0.0))
        return np.asarray(2 * np.arctan(u * (1 + self.xi) / (1 + root)))


def projection_of(code: float, xi: float) -> Projection:
    """The function that the columns ``lens_projection`` and ``lens_xi`` of a table name."""
    return {Unified.code: Unified(xi), HalfSine.code: HalfSine()}.get(int(code), ANGLE)
