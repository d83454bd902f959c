"""A camera: a lens model on a picture, with its optical centre and pixel aspect."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ssl_domains_fisheye.lens.model import LensModel
from ssl_domains_fisheye.lens.tangential import shift, without_shift

__all__ = ["Camera"]


@dataclass(frozen=True)
class Camera:
    """Rays to pixels and back. x is right, y down, z forward; the first pixel's centre is (0, 0), as in OpenCV.

    Attributes:
        lens: ρ(θ) along x.
        cx: Optical centre in pixels, not the image centre.
        cy: Likewise.
        aspect: What ρ is multiplied with along y.
        width: Size of the picture the numbers are for.
        height: Likewise.
        tangential: p1 and p2 of the unified or perspective model; zero for every other one.
    """

    lens: LensModel
    cx: float
    cy: float
    aspect: float
    width: int
    height: int
    tangential: tuple[float, float] = (0.0, 0.0)

    def project(self, rays: ArrayLike) -> NDArray[np.float64]:
        """Where directions are seen.

        Args:
            rays: ``[..., 3]``, any length but 0; z may be negative (θ > 90°).

        Returns:
            ``[..., 2]`` pixels (x, y), NaN where the lens sees nothing.
        """
        x, y, z = np.moveaxis(np.asarray(rays, dtype=np.float64), -1, 0)
        across = np.hypot(x, y)
        # atan2 and not atan(across/z): the angle passes 90° and goes on
        theta = np.arctan2(across, z)
        radius = self.lens.radius(theta)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = np.where(across > 0, radius / across, 0.0)
        outside = np.where(np.isnan(radius) | ((across == 0) & (z <= 0)), np.nan, 0.0)
        if not any(self.tangential):
            return np.stack([self.cx + scale * x + outside, self.cy + self.aspect * scale * y + outside], axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = np.where(across > 0, self.lens.projection.of(theta) / across, 0.0)
        dx, dy = shift(inner * x, inner * y, *self.tangential)
        focal = self.lens.coefficients[0]
        px, py = scale * x + focal * dx, scale * y + focal * dy
        return np.stack([self.cx + px + outside, self.cy + self.aspect * py + outside], axis=-1)

    def polar(self, pixels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Distance from the optical centre in px along x, and the angle φ in (−π, π], 0 to the right, π/2 down."""
        points = np.asarray(pixels, dtype=np.float64)
        x, y = points[..., 0] - self.cx, (points[..., 1] - self.cy) / self.aspect
        return np.hypot(x, y), np.arctan2(y, x)

    def unproject(self, pixels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Angles (θ, φ) in radians of pixels ``[..., 2]``; θ is NaN where nothing is imaged."""
        if not any(self.tangential):
            radius, phi = self.polar(pixels)
            return self.lens.angle(radius), phi
        points = np.asarray(pixels, dtype=np.float64)
        x, y = points[..., 0] - self.cx, (points[..., 1] - self.cy) / self.aspect
        x, y = without_shift(x, y, self.lens, self.tangential)
        return self.lens.projection.angle(np.hypot(x, y)), np.arctan2(y, x)

    def rays(self, pixels: ArrayLike) -> NDArray[np.float64]:
        """Unit rays ``[..., 3]`` of pixels ``[..., 2]``; NaN where nothing is imaged."""
        theta, phi = self.unproject(pixels)
        return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1)

    def farthest(self) -> float:
        """Distance in px from the optical centre to the farthest corner, which `radius_norm` calls 1."""
        edges_x, edges_y = (-0.5, self.width - 0.5), (-0.5, self.height - 0.5)
        corners = np.array([[x, y] for x in edges_x for y in edges_y])
        return float(self.polar(corners)[0].max())

    def is_resized_to(self, width: int, height: int) -> bool:
        """Whether a picture of this size has the calibration's shape, within 1 %, so that it can be a resized copy."""
        return abs(width / self.width - height / self.height) <= 0.01 * width / self.width

    def scaled(self, width: int, height: int) -> Camera:
        """The camera of the same picture resized; each axis may be resized by its own factor."""
        sx, sy = width / self.width, height / self.height
        return replace(
            self,
            lens=self.lens.scaled(sx),
            # half a pixel in and out again: it is the picture's edge, not its first pixel's centre, that stays
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
            aspect=self.aspect * sy / sx,
            width=width,
            height=height,
        )
