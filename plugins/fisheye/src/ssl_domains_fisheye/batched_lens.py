"""The lenses of a batch as tensors: ρ(θ), its inverse, and the tangential shift, each sample by its own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ssl_domains_fisheye.lens import HalfSine, Unified

__all__ = ["BatchedLens"]

_CELLS = 128
_NEWTON = 2  # a cell is 1.4° at most, where two steps leave less than float32 can tell
_ROUNDS = 4  # tangential terms are thousandths, and each round divides what is left by as much


@dataclass(frozen=True)
class BatchedLens:
    """The lenses and crops of a batch, float64 ``[B]`` each; pixels count from the optical centre."""

    coefficients: Tensor  # [B, orders]
    limit: Tensor
    aspect: Tensor
    middle_x: Tensor
    middle_y: Tensor
    half_width: Tensor
    half_height: Tensor
    projection: Tensor | None  # None: u = θ for every lens
    xi: Tensor | None
    tangential: tuple[Tensor, Tensor] | None  # p1, p2; None: zero for every lens

    @classmethod
    def of(cls, columns: Mapping[str, Tensor], orders: int) -> BatchedLens:
        """The lenses and crops that the columns ``[B]`` of a sample table describe.

        Args:
            columns: Those that `Reprojection.columns` names; a missing column of the lens is 0.
            orders: The highest i of the coefficients ``lens_i``.
        """
        left, top, right, bottom = (columns[f"crop_{edge}"].double() for edge in ("left", "top", "right", "bottom"))
        none = torch.zeros_like(left)
        terms = {name: columns.get(f"lens_{name}", none).double() for name in ("projection", "xi", "p1", "p2")}
        is_bent = "lens_projection" in columns
        return cls(
            torch.stack([columns.get(f"lens_{i}", none).double() for i in range(1, orders + 1)], dim=-1),
            torch.deg2rad(columns["theta_limit"].double()),
            columns["aspect"].double(),
            (left + right) / 2 - 0.5 - columns["cx"].double(),
            (top + bottom) / 2 - 0.5 - columns["cy"].double(),
            (right - left) / 2,
            (bottom - top) / 2,
            terms["projection"] if is_bent else None,
            terms["xi"] if is_bent else None,
            (terms["p1"], terms["p2"]) if "lens_p1" in columns or "lens_p2" in columns else None,
        )

    def old(self) -> tuple[Tensor, Tensor]:
        """Where the crops are: θ, φ ``[B]`` in radians, NaN without a lens."""
        x, y = self._without_shift(self.middle_x, self.middle_y / self.aspect)
        return self.angle(torch.hypot(x, y)), torch.atan2(y, x)

    def pixel(self, theta: Tensor, phi: Tensor) -> Tensor:
        """Pixels ``[B, 2]`` of angles ``[B]``."""
        radius = self.radius(theta)
        shift = self.shift(theta, phi)
        if shift is None:
            return torch.stack([radius * torch.cos(phi), self.aspect * radius * torch.sin(phi)], dim=-1)
        x, y = radius * torch.cos(phi) + shift[..., 0], radius * torch.sin(phi) + shift[..., 1]
        return torch.stack([x, self.aspect * y], dim=-1)

    def unproject(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """θ and φ of pixels ``[B, H, W, 2]``."""
        x, y = self._without_shift(pixels[..., 0], pixels[..., 1] / self._like(self.aspect, pixels[..., 1]))
        return self.angle(torch.hypot(x, y)), torch.atan2(y, x)

    def radius(self, theta: Tensor) -> Tensor:
        """ρ(θ), ``[B, …]``; NaN beyond the limit."""
        value = self._polynomial(self._inner(theta))
        return torch.where(theta <= self._like(self.limit, theta), value, torch.nan)

    def angle(self, radius: Tensor) -> Tensor:
        """θ(ρ), ``[B, …]``: a table of each lens brackets u, Newton's steps, kept in the cell, refine it; else NaN."""
        share = torch.linspace(0, 1, _CELLS + 1, dtype=radius.dtype, device=radius.device)
        grid = self._inner(self.limit).to(radius.dtype)[:, None] * share
        radii = self._polynomial(grid)
        wanted = radius.reshape(len(radius), -1)
        cell = (torch.searchsorted(radii, wanted.contiguous(), right=True) - 1).clamp(0, _CELLS - 1)
        low, high = grid.gather(1, cell), grid.gather(1, cell + 1)
        below, above = radii.gather(1, cell), radii.gather(1, cell + 1)
        u = low + (high - low) * ((wanted - below) / (above - below)).clamp(0, 1)
        for _ in range(_NEWTON):
            step = (self._polynomial(u) - wanted) / self._slope(u)
            u = torch.minimum(torch.maximum(u - step, low), high)
        return torch.where(wanted <= radii[:, -1:], self._angle_of(u), torch.nan).reshape(radius.shape)

    def shift(self, theta: Tensor, phi: Tensor) -> Tensor | None:
        """The tangential shift in px along x and y, ``[B, …, 2]``, before the aspect; None where no lens has one."""
        if self.tangential is None:
            return None
        u = self._inner(theta)
        return self._shift(u * torch.cos(phi), u * torch.sin(phi))

    def _shift(self, x: Tensor, y: Tensor) -> Tensor:
        assert self.tangential is not None
        p1, p2 = (self._like(term, x) for term in self.tangential)
        square = x * x + y * y
        across, down = 2 * p1 * x * y + p2 * (square + 2 * x * x), p1 * (square + 2 * y * y) + 2 * p2 * x * y
        return self._like(self.coefficients[:, 0], x)[..., None] * torch.stack([across, down], dim=-1)

    def _without_shift(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Where points would be imaged without the tangential terms, by iterating from the points themselves."""
        if self.tangential is None:
            return x, y
        edge = self._like(self._polynomial(self._inner(self.limit)), x)
        px, py = x, y
        for _ in range(_ROUNDS):
            radius = torch.hypot(px, py)
            inner = self._inner(self.angle(torch.minimum(radius, edge)))
            scale = torch.where(radius > 0, inner / radius.clamp(min=1e-12), 0.0)
            dx, dy = self._shift(scale * px, scale * py).unbind(-1)
            px, py = x - dx, y - dy
        return px, py

    def _inner(self, theta: Tensor) -> Tensor:
        """u(θ)."""
        if self.projection is None or self.xi is None:
            return theta
        code, xi = self._like(self.projection, theta), self._like(self.xi, theta)
        sine, cosine = torch.sin(theta / 2), torch.cos(theta / 2)
        unified = 2 * sine * cosine / ((1 + xi) * cosine**2 - (1 - xi) * sine**2)
        return torch.where(code == Unified.code, unified, torch.where(code == HalfSine.code, 2 * sine, theta))

    def _angle_of(self, u: Tensor) -> Tensor:
        """θ(u)."""
        if self.projection is None or self.xi is None:
            return u
        code, xi = self._like(self.projection, u), self._like(self.xi, u)
        code, xi = code.expand_as(u), xi.expand_as(u)
        root = torch.sqrt((1 + u**2 * (1 - xi**2)).clamp(min=0))
        unified = 2 * torch.atan(u * (1 + xi) / (1 + root))
        half_sine = 2 * torch.asin((u / 2).clamp(-1, 1))
        return torch.where(code == Unified.code, unified, torch.where(code == HalfSine.code, half_sine, u))

    def _polynomial(self, u: Tensor) -> Tensor:
        value = torch.zeros_like(u)
        for i in reversed(range(self.coefficients.shape[1])):
            value = (value + self._like(self.coefficients[:, i], u)) * u
        return value

    def _slope(self, u: Tensor) -> Tensor:
        value = torch.zeros_like(u)
        for i in reversed(range(self.coefficients.shape[1])):
            value = value * u + (i + 1) * self._like(self.coefficients[:, i], u)
        return value

    @staticmethod
    def _like(numbers: Tensor, wide: Tensor) -> Tensor:
        return numbers.to(wide.dtype).reshape(-1, *[1] * (wide.ndim - 1))
