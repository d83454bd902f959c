"""Where a slice lies: its normal, its plane by name, its position along the normal, and the spacing of a volume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Spacing", "clusters", "in_plane", "normal_of", "places", "plane_name", "position_along", "same_mm", "spacing_of",
]  # fmt: skip

_PLANES = ("sagittal", "coronal", "axial")
_SAME_MM = 1e-2  # positions are decimal strings, often of two digits


@dataclass(frozen=True)
class Spacing:
    """The spacing of a sorted volume.

    Attributes:
        mm: Median distance of neighbouring slices; None with fewer than two positions.
        gaps: Slices that are missing, by distances of about twice the spacing or more.
        duplicates: Slices at the position of the one before.
    """

    mm: float | None
    gaps: int
    duplicates: int


def normal_of(orientation: Sequence[float] | None) -> NDArray[np.float64] | None:
    """Unit normal of a slice from ImageOrientationPatient (six direction cosines), None when there is none."""
    if orientation is None or len(orientation) != 6:
        return None
    normal = _cross(*orientation)
    return None if normal is None else np.array(normal)


@lru_cache(maxsize=4096)
def _cross(a: float, b: float, c: float, d: float, e: float, f: float) -> tuple[float, float, float] | None:
    x, y, z = b * f - c * e, c * d - a * f, a * e - b * d
    length = math.sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length) if math.isfinite(length) and length > 1e-6 else None


def plane_name(orientation: Sequence[float] | None) -> str | None:
    """``"axial"``, ``"coronal"`` or ``"sagittal"``, whichever is nearest; None without an orientation."""
    normal = normal_of(orientation)
    return None if normal is None else _PLANES[int(np.argmax(np.abs(normal)))]


def position_along(normal: NDArray[np.float64] | None, position: Sequence[float] | None) -> float | None:
    """ImagePositionPatient · normal in mm, None when either is missing."""
    if normal is None or position is None or len(position) != 3:
        return None
    along = float(normal @ np.asarray(position, np.float64))
    return along if np.isfinite(along) else None


def in_plane(orientation: Sequence[float] | None, position: Sequence[float] | None) -> tuple[float, ...] | None:
    """Where the corner of a slice lies within its plane: the part of ImagePositionPatient beside the normal, mm."""
    normal = normal_of(orientation)
    along = position_along(normal, position)
    if normal is None or position is None or along is None:
        return None
    return tuple(float(part) for part in np.asarray(position, np.float64) - along * normal)


def clusters(vectors: Sequence[Sequence[float] | None], tolerance: float) -> list[int | None]:
    """Number of the cluster of each vector: vectors whose components differ by at most ``tolerance`` from its first.

    Clusters are numbered in the order of their vectors, so that the order of the files changes nothing. None is in
    none; vectors of different length are never together.

    Example:
        >>> clusters([(1.0, 0.0), (0.0, 1.0), (0.9999, 0.0)], 0.001)
        [1, 0, 1]
    """
    first: list[tuple[float, ...]] = []
    number: dict[tuple[float, ...], int] = {}
    for vector in sorted({tuple(vector) for vector in vectors if vector is not None}):
        for index, known in enumerate(first):
            if len(known) == len(vector) and all(abs(a - b) <= tolerance for a, b in zip(known, vector, strict=True)):
                number[vector] = index
                break
        else:
            number[vector] = len(first)
            first.append(vector)
    return [None if vector is None else number[tuple(vector)] for vector in vectors]


def places(positions: Sequence[float], pixel_mm: float | None = None) -> list[int]:
    """Number of the place of each position in mm: positions at most 0.01 mm apart share one.

    Where pixels are smaller than that (microscopy, OCT), half a pixel instead.
    """
    apart = same_mm(pixel_mm)
    order = np.argsort(np.asarray(positions), kind="stable")
    ascending = np.asarray(positions, np.float64)[order]
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.concatenate([[0], np.cumsum(np.diff(ascending) > apart)])
    return [int(number) for number in numbers]


def same_mm(pixel_mm: float | None) -> float:
    """The largest distance of two positions that are one, mm."""
    return _SAME_MM if not pixel_mm or pixel_mm <= 0 else min(_SAME_MM, pixel_mm / 2)


def spacing_of(positions: Sequence[float], pixel_mm: float | None = None) -> Spacing:
    """Spacing, gaps and duplicates of positions in mm, sorted ascending."""
    steps = np.diff(np.asarray(positions, np.float64))
    apart = steps[steps > same_mm(pixel_mm)]
    duplicates = int(len(steps) - len(apart))
    if not len(apart):
        return Spacing(None, 0, duplicates)
    typical = float(np.median(apart))
    missing = np.rint(apart / typical) - 1
    return Spacing(typical, int(missing[apart > 1.5 * typical].sum()), duplicates)
