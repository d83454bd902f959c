"""A lens model: ρ(θ), the distance in pixels from the optical centre of what is seen θ off the optical axis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import ArrayLike, NDArray

from ssl_domains.errors import UsageError
from ssl_domains_fisheye.lens.projection import ANGLE, Projection

__all__ = ["LensModel"]

# Newton's steps that every value takes, and the most that one takes whose ρ is not within _CLOSE pixels.
_STEPS, _MOST_STEPS, _CLOSE = 6, 40, 1e-9


@dataclass(frozen=True)
class LensModel:
    """A lens whose ρ(θ) = Σ cᵢ u(θ)ⁱ, i = 1, 2, …; every model of this package is one, under its own meaning of k1–k4.

    Args:
        name: The model's name in a calibration file.
        coefficients: c₁, c₂, … in pixels, for θ in radians.
        projection: u(θ); without one u = θ, and ρ is a polynomial of the angle.
        circle: θ in radians at the edge of the image circle, outside which nothing is imaged; None without one.

    Raises:
        UsageError: When ρ does not grow at θ = 0, so that nothing can be inverted.
    """

    name: str
    coefficients: tuple[float, ...]
    projection: Projection = ANGLE
    circle: float | None = None

    def __post_init__(self) -> None:
        if not self.coefficients or not np.all(np.isfinite(self.coefficients)) or self.coefficients[0] <= 0:
            raise UsageError(
                f"this {self.name} lens has no image at its centre: ρ must grow from θ = 0",
                "check the first coefficient (or the focal length) of the calibration; it must be positive",
            )

    def radius(self, theta: ArrayLike) -> NDArray[np.float64]:
        """ρ(θ) in pixels, θ in radians; NaN below 0 and beyond `limit`."""
        angle = np.asarray(theta, dtype=np.float64)
        value = polynomial.polyval(self.projection.of(angle), (0.0, *self.coefficients))
        return np.asarray(np.where((angle >= 0) & (angle <= self.limit), value, np.nan))

    def slope(self, theta: ArrayLike) -> NDArray[np.float64]:
        """dρ/dθ in pixels per radian, the radial magnification; NaN where `radius` is."""
        angle = np.asarray(theta, dtype=np.float64)
        value = polynomial.polyval(self.projection.of(angle), self._derivative) * self.projection.slope(angle)
        return np.asarray(np.where((angle >= 0) & (angle <= self.limit), value, np.nan))

    @cached_property
    def _derivative(self) -> NDArray[np.float64]:
        return np.asarray(polynomial.polyder((0.0, *self.coefficients)))

    @cached_property
    def limit(self) -> float:
        """The largest θ up to which dρ/dθ > 0 and the image circle reaches; beyond a fold two angles share a pixel."""
        grows = float(self.projection.angle(np.asarray(self._turning)))
        return grows if self.circle is None else min(grows, self.circle)

    @cached_property
    def _turning(self) -> float:
        """The smallest u where the polynomial stops growing, at most the end of the projection."""
        slope, end = self._derivative, self.projection.end
        # Terms that can't matter up to the end are left out: the root finder divides by the last one.
        share = np.abs(slope) * end ** np.arange(len(slope))
        roots = polynomial.polyroots(slope[: int(np.flatnonzero(share > 1e-14 * share.max())[-1]) + 1])
        real = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
        turning = real[(real > 0) & (real < end)]
        return float(turning[0]) if len(turning) else end

    @cached_property
    def last(self) -> float:
        """u at `limit`, the end of what is imaged."""
        if self.circle is None or self.circle > self.limit:
            return self._turning
        return float(self.projection.of(np.asarray(self.limit)))

    @cached_property
    def _table(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        inner = self.projection.grid(self.last, 2049)
        return inner, np.maximum.accumulate(polynomial.polyval(inner, (0.0, *self.coefficients)))

    @cached_property
    def _edge(self) -> float:
        """The largest ρ: that of `limit`, where rounding of a steep lens may put it above the table's end."""
        return float(max(self._table[1][-1] * (1 + 1e-12), self.radius(self.limit)))

    def angle(self, radius: ArrayLike) -> NDArray[np.float64]:
        """θ in radians at a distance from the optical centre, the inverse of `radius`.

        Args:
            radius: Pixels, any shape.

        Returns:
            Same shape, float64; NaN where no angle up to `limit` is imaged.
        """
        return np.asarray(self.projection.angle(self.inner(radius)))

    def inner(self, radius: ArrayLike) -> NDArray[np.float64]:
        """u(θ) at a distance from the optical centre; NaN where no angle up to `limit` is imaged.

        A table brackets u for each value; Newton's steps refine it, and where they would leave the bracket it is
        halved.

        Args:
            radius: Pixels, any shape.
        """
        wanted = np.asarray(radius, dtype=np.float64)
        table, radii = self._table
        known = (wanted >= 0) & (wanted <= self._edge)
        target = np.minimum(np.where(known, wanted, 0.0), radii[-1])
        cell = np.clip(np.searchsorted(radii, target, side="right") - 1, 0, len(table) - 2)
        low, high = table[cell], table[cell + 1]
        u = np.interp(target, radii, table)
        for number in range(_MOST_STEPS):
            excess = polynomial.polyval(u, (0.0, *self.coefficients)) - target
            # Near a fold, where two solutions meet, Newton's steps only halve the error.
            open_ = np.abs(excess) > _CLOSE if number >= _STEPS else np.True_
            if not np.any(open_):
                break
            low, high = np.where(excess < 0, u, low), np.where(excess >= 0, u, high)
            with np.errstate(divide="ignore", invalid="ignore"):
                step = u - excess / polynomial.polyval(u, self._derivative)
            u = np.where(open_, np.where((step >= low) & (step <= high), step, (low + high) / 2), u)
        return np.asarray(np.where(known, u, np.nan))

    def distortion(self, theta: ArrayLike) -> NDArray[np.float64]:
        """Tangential magnification ρ/sin θ over radial magnification dρ/dθ: 1 at the centre, 2 is squeezed to half."""
        angle = np.asarray(theta, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.radius(angle) / np.sin(angle) / self.slope(angle)
        return np.asarray(np.where(angle == 0, 1.0, ratio))

    def scaled(self, factor: float) -> LensModel:
        """The same lens on a picture resized by the factor."""
        return replace(self, coefficients=tuple(factor * c for c in self.coefficients))
