"""A lens model: ρ(θ), the distance in pixels from the optical centre of what is seen θ off the optical axis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import ArrayLike, NDArray

from ssl_domains.errors import UsageError

__all__ = ["LensModel"]


@dataclass(frozen=True)
class LensModel:
    """A lens whose ρ(θ) = Σ cᵢ θⁱ, i = 1, 2, …; every model of this package is one, under its own meaning of k1–k4.

    Args:
        name: The model's name in a calibration file.
        coefficients: c₁, c₂, … in pixels, for θ in radians.

    Raises:
        UsageError: When ρ does not grow at θ = 0, so that nothing can be inverted.
    """

    name: str
    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.coefficients or not np.all(np.isfinite(self.coefficients)) or self.coefficients[0] <= 0:
            raise UsageError(
                f"this {self.name} lens has no image at its centre: ρ must grow from θ = 0",
                "check the first coefficient (or the focal length) of the calibration; it must be positive",
            )

    def radius(self, theta: ArrayLike) -> NDArray[np.float64]:
        """ρ(θ) in pixels, θ in radians; NaN below 0 and beyond `limit`, where the model folds back."""
        angle = np.asarray(theta, dtype=np.float64)
        value = polynomial.polyval(angle, (0.0, *self.coefficients))
        return np.asarray(np.where((angle >= 0) & (angle <= self.limit), value, np.nan))

    def slope(self, theta: ArrayLike) -> NDArray[np.float64]:
        """dρ/dθ in pixels per radian, the radial magnification; NaN where `radius` is."""
        angle = np.asarray(theta, dtype=np.float64)
        value = polynomial.polyval(angle, self._derivative)
        return np.asarray(np.where((angle >= 0) & (angle <= self.limit), value, np.nan))

    @cached_property
    def _derivative(self) -> NDArray[np.float64]:
        return np.asarray(polynomial.polyder((0.0, *self.coefficients)))

    @cached_property
    def limit(self) -> float:
        """The largest θ, at most π, up to which dρ/dθ > 0: beyond it two angles share a pixel."""
        slope = self._derivative
        # Terms that can't matter up to π are left out: the root finder divides by the last one.
        share = np.abs(slope) * np.pi ** np.arange(len(slope))
        roots = polynomial.polyroots(slope[: int(np.flatnonzero(share > 1e-14 * share.max())[-1]) + 1])
        real = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
        turning = real[(real > 0) & (real < np.pi)]
        return float(turning[0]) if len(turning) else float(np.pi)

    @cached_property
    def _table(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        angles = np.linspace(0.0, self.limit, 2049)
        return angles, np.maximum.accumulate(polynomial.polyval(angles, (0.0, *self.coefficients)))

    def angle(self, radius: ArrayLike) -> NDArray[np.float64]:
        """θ in radians at a distance from the optical centre, the inverse of `radius`.

        A table brackets each value; Newton's steps refine it, and where they would leave the bracket it is halved.

        Args:
            radius: Pixels, any shape.

        Returns:
            Same shape, float64; NaN where no angle up to `limit` is imaged.
        """
        wanted = np.asarray(radius, dtype=np.float64)
        angles, radii = self._table
        # At the fold rounding may put ρ an ulp above the table's end.
        known = (wanted >= 0) & (wanted <= radii[-1] * (1 + 1e-12))
        target = np.minimum(np.where(known, wanted, 0.0), radii[-1])
        cell = np.clip(np.searchsorted(radii, target, side="right") - 1, 0, len(angles) - 2)
        low, high = angles[cell], angles[cell + 1]
        theta = np.interp(target, radii, angles)
        for _ in range(6):
            excess = polynomial.polyval(theta, (0.0, *self.coefficients)) - target
            low, high = np.where(excess < 0, theta, low), np.where(excess >= 0, theta, high)
            with np.errstate(divide="ignore", invalid="ignore"):
                step = theta - excess / polynomial.polyval(theta, self._derivative)
            theta = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        return np.asarray(np.where(known, theta, np.nan))

    def distortion(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Tangential magnification ρ/sin θ over radial magnification dρ/dθ: 1 at the centre, 2 is squeezed to half."""
        angle = np.asarray(theta, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.radius(angle) / np.sin(angle) / self.slope(angle)
        return np.asarray(np.where(angle == 0, 1.0, ratio))

    def scaled(self, factor: float) -> LensModel:
        """The same lens on a picture resized by the factor."""
        return replace(self, coefficients=tuple(factor * c for c in self.coefficients))
