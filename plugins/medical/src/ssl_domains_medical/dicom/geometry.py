"""Where a slice lies: its normal, its plane by name, its position along the normal, and the spacing of a volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spacing", "normal_of", "plane_name", "position_along", "spacing_of"]

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
    rows, columns = np.asarray(orientation, np.float64).reshape(2, 3)
    normal = np.cross(rows, columns)
    length = float(np.linalg.norm(normal))
    return normal / length if np.isfinite(length) and length > 1e-6 else None


def plane_name(orientation: Sequence[float] | None) -> str | None:
    """``"axial"``, ``"coronal"`` or ``"sagittal"``, whichever is nearest; None without an orientation."""
    normal = normal_of(orientation)
    return None if normal is None else _PLANES[int(np.argmax(np.abs(normal)))]


def position_along(orientation: Sequence[float] | None, position: Sequence[float] | None) -> float | None:
    """ImagePositionPatient · normal in mm, None when either is missing."""
    normal = normal_of(orientation)
    if normal is None or position is None or len(position) != 3:
        return None
    along = float(normal @ np.asarray(position, np.float64))
    return along if np.isfinite(along) else None


def spacing_of(positions: Sequence[float]) -> Spacing:
    """Spacing, gaps and duplicates of positions in mm, sorted ascending."""
    steps = np.diff(np.asarray(positions, np.float64))
    apart = steps[steps > _SAME_MM]
    duplicates = int(len(steps) - len(apart))
    if not len(apart):
        return Spacing(None, 0, duplicates)
    typical = float(np.median(apart))
    missing = np.rint(apart / typical) - 1
    return Spacing(typical, int(missing[apart > 1.5 * typical].sum()), duplicates)
