"""The plane of a time slice: which cells are shown, and where they lie on the page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.geometry.coordinates import MapFit

__all__ = ["Axis", "Plane"]

_MOST = 240  # cells along a side that are shown: the page holds features of each
_ROOM = 46.0  # pixels left and below for the numbers of the axes
_TICKS = 4


@dataclass(frozen=True)
class Axis:
    """The numbers along one side of the map.

    Attributes:
        places: Position of each tick on the page in pixels.
        texts: What stands there.
    """

    places: tuple[float, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Plane:
    """A time slice ``[inline, crossline]`` as seen from above.

    With map coordinates, x goes to the right and y upwards, in metres. Without them, crosslines go to the right and
    inlines downwards, in bins.

    Attributes:
        shape: Inlines and crosslines of the survey.
        fit: Place of the survey on the map; None where it isn't known.
        wide: Width of the map in pixels, without the room for numbers.
    """

    shape: tuple[int, int]
    fit: MapFit | None
    wide: float = 380.0

    @property
    def every(self) -> int:
        """Only every such inline and crossline is shown, at most 240 along a side."""
        return math.ceil(max(self.shape) / _MOST)

    @property
    def shown(self) -> tuple[int, int]:
        """Numbers of inlines and crosslines that are shown."""
        return len(range(0, self.shape[0], self.every)), len(range(0, self.shape[1], self.every))

    def map_at(self, inline: NDArray[np.float64], crossline: NDArray[np.float64]) -> NDArray[np.float64]:
        """x to the right and y downwards, in metres or bins, of places in bins: float64 ``[n, 2]``."""
        if self.fit is None:
            return np.stack([crossline, inline], axis=1)
        return np.asarray(self.fit.at(inline, crossline) * np.array([1.0, -1.0]))

    @cached_property
    def _box(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        high = self.shape[0] - 0.5, self.shape[1] - 0.5
        corners = self.map_at(np.array([-0.5, -0.5, high[0], high[0]]), np.array([-0.5, high[1], -0.5, high[1]]))
        return corners.min(axis=0), corners.max(axis=0)

    @property
    def scale(self) -> float:
        """Pixels for each metre, or bin."""
        low, high = self._box
        return self.wide / float((high - low).max())

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the drawing in pixels, with the room for numbers."""
        low, high = self._box
        width, height = ((high - low) * self.scale).tolist()
        return width + _ROOM, height + _ROOM / 2

    def page_at(self, inline: NDArray[np.float64], crossline: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels from the left and from above of places in bins: float64 ``[n, 2]``."""
        return np.asarray((self.map_at(inline, crossline) - self._box[0]) * self.scale + np.array([_ROOM, 0.0]))

    def polyline(self, places: NDArray[np.float64]) -> str:
        """The points of an SVG polygon or line through places in bins, float64 ``[n, 2]`` (inline, crossline)."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.page_at(places[:, 0], places[:, 1]))

    @property
    def matrix(self) -> str:
        """SVG ``matrix`` that places a picture, one pixel for each shown cell, rows inlines and columns crosslines."""
        half = 0.5
        ends = np.array([[-half, -half], [self.every - half, -half], [-half, self.every - half]])
        origin, row, column = self.page_at(ends[:, 0], ends[:, 1])
        a, b = column - origin
        c, d = row - origin
        return f"matrix({a:.6g} {b:.6g} {c:.6g} {d:.6g} {origin[0]:.4f} {origin[1]:.4f})"

    def axes(self) -> tuple[Axis, Axis]:
        """Numbers below (x, or crossline bins) and to the left (y, or inline bins)."""
        low, high = self._box
        below, left = (_round_numbers(float(low[side]), float(high[side])) for side in (0, 1))
        sign = 1 if self.fit is None else -1
        return (
            Axis(tuple((value - low[0]) * self.scale + _ROOM for value in below), tuple(f"{v:.0f}" for v in below)),
            Axis(tuple((value - low[1]) * self.scale for value in left), tuple(f"{sign * v:.0f}" for v in left)),
        )

    @property
    def unit(self) -> str:
        """What the numbers along the sides are."""
        return "bins" if self.fit is None else "metres on the map, x to the right, y upwards"


def _round_numbers(low: float, high: float) -> list[float]:
    """About four multiples of a round step inside a range."""
    wanted = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(wanted))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= wanted)
    return [step * k for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
