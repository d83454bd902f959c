"""A card: a square that touches the viewing sphere and faces the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Card"]

_ALONG = 9  # points a side of an outline, since the lens bends it


@dataclass(frozen=True)
class Card:
    """A square card at distance 1.

    Attributes:
        theta: Radians off the optical axis.
        phi: Direction, radians; 0 to the right, π/2 down.
        half: Half its side; an angle's tangent, as the distance is 1.
        turn: Radians in its own plane.
    """

    theta: float
    phi: float
    half: float
    turn: float

    @property
    def direction(self) -> NDArray[np.float64]:
        """Unit vector ``[3]`` to its middle, which is also its normal."""
        sine = math.sin(self.theta)
        return np.array([sine * math.cos(self.phi), sine * math.sin(self.phi), math.cos(self.theta)])

    @property
    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Its right and its down, unit vectors ``[3]``: upright as the world is, but for the turn."""
        x, y, z = self.direction.tolist()
        level = math.hypot(x, z)
        # Straight up or down nothing is upright.
        across, away = (z / level, -x / level) if level > 1e-9 else (1.0, 0.0)
        right = np.array([across, 0.0, away])
        down = np.array([y * away, z * across - x * away, -y * across])
        c, s = math.cos(self.turn), math.sin(self.turn)
        return c * right + s * down, c * down - s * right

    def outline(self) -> NDArray[np.float64]:
        """Points ``[36, 3]`` of its four sides."""
        right, down = self.axes
        along = np.linspace(-self.half, self.half, _ALONG)[:, None]
        sides = [along * right + edge * down for edge in (-self.half, self.half)]
        sides += [along * down + edge * right for edge in (-self.half, self.half)]
        return self.direction + np.concatenate(sides)
