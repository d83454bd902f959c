"""The grid of a DICOM volume: from the place of each slice in the body to one affine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains_medical.dicom.frames import Frame
from ssl_domains_medical.dicom.geometry import normal_of, same_mm

__all__ = ["Grid", "NoGrid", "SlicePlace", "grid_of", "places_of"]

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_UNEVEN = 0.05  # share of the spacing by which a slice may lie beside its place on the grid
_MOST_PLACES = 10_000
_THICKNESS = 3  # place of SliceThickness among the parameters of a frame


class NoGrid(Exception):
    """The slices lie on no grid; the text says why, as the end of a sentence."""


@dataclass(frozen=True)
class SlicePlace:
    """Where a slice lies.

    Attributes:
        origin: Centre of the first pixel, mm in DICOM's axes (left, posterior, superior).
        along_columns: Step from a pixel to the next one in its row, mm.
        along_rows: Step from a row to the next one, mm.
        thickness: SliceThickness, mm; None when the header doesn't say.
    """

    origin: NDArray[np.float64]
    along_columns: NDArray[np.float64]
    along_rows: NDArray[np.float64]
    thickness: float | None


@dataclass(frozen=True)
class Grid:
    """The grid of a volume ``[columns, rows, slices]``.

    Attributes:
        affine: ``[4, 4]``, from voxels to mm in the axes of NIfTI (right, anterior, superior).
        slices: Number of places along the third axis.
        place: Place of each slice along it.
    """

    affine: NDArray[np.float64]
    slices: int
    place: tuple[int, ...]


def places_of(frames: Sequence[Frame]) -> list[SlicePlace | None]:
    """Where the frames of one file lie; None for a frame whose header doesn't say."""
    first = frames[0].offset_mm if frames else None
    return [_place(frame, first) for frame in frames]


def grid_of(places: Sequence[SlicePlace | None], spacing_mm: float | None = None) -> Grid:
    """The grid of the slices of one volume, in any order.

    Their order along the third axis is that of their positions along the normal (columns × rows). A slice that is
    missing in between leaves its place free. The step between slices may be oblique, as with a tilted gantry.

    Args:
        places: Where each slice lies.
        spacing_mm: Distance of neighbouring slices, where it is known; None takes the median of the distances.

    Raises:
        NoGrid: When a slice has no place, two share one, or they are not evenly spaced.
    """
    known = [place for place in places if place is not None]
    if len(known) < len(places) or not known:
        raise NoGrid("its headers state no place in the body or no size of pixels")
    first = known[0]
    normal = np.cross(first.along_columns, first.along_rows)
    normal /= np.linalg.norm(normal)
    origins = np.array([place.origin for place in known])
    along = origins @ normal
    order = np.argsort(along, kind="stable")
    if len(known) == 1:
        return Grid(_affine(first, first.origin, normal * (first.thickness or spacing_mm or 1.0)), 1, (0,))
    steps = np.diff(along[order])
    pixel = min(float(np.linalg.norm(first.along_columns)), float(np.linalg.norm(first.along_rows)))
    if steps.min() <= same_mm(pixel):
        raise NoGrid("two of its slices lie at one position")
    usual = spacing_mm if spacing_mm and spacing_mm > 0 else float(np.median(steps))
    numbers = np.concatenate([[0], np.cumsum(np.rint(steps / usual))]).astype(np.int64)
    last = int(numbers[-1])
    if np.diff(numbers).min() < 1:
        raise NoGrid("its slices are not evenly spaced")
    if last >= _MOST_PLACES:
        raise NoGrid("its slices lie too far apart")
    start = origins[order[0]]
    step = (origins[order[-1]] - start) / last
    beside = np.linalg.norm(origins[order] - start - numbers[:, None] * step, axis=1).max()
    distance = float(step @ normal)
    if beside > max(_UNEVEN * distance, min(same_mm(pixel), distance / 4)):
        raise NoGrid("its slices are not evenly spaced")
    place = np.empty(len(known), dtype=np.int64)
    place[order] = numbers
    return Grid(_affine(known[int(order[0])], start, step), last + 1, tuple(int(number) for number in place))


def _place(frame: Frame, first_offset: float | None) -> SlicePlace | None:
    normal = normal_of(frame.orientation)
    spacing, position = frame.pixel_spacing, frame.position
    if normal is None or frame.orientation is None or position is None or len(position) != 3:
        return None
    if spacing is None or len(spacing) != 2 or min(spacing) <= 0:
        return None
    origin = np.array(position, dtype=np.float64)
    if frame.offset_mm is not None and first_offset is not None:
        # The position is that of the first frame; its own offset is 0, or in an older form its absolute place.
        origin = origin + (frame.offset_mm - first_offset) * normal
    cosines = np.array(frame.orientation, dtype=np.float64)
    thickness = frame.parameters[_THICKNESS]
    # PixelSpacing states the distance of rows first, then that of columns.
    return SlicePlace(
        origin,
        cosines[:3] * spacing[1],
        cosines[3:] * spacing[0],
        thickness if thickness is not None and thickness > 0 else None,
    )


def _affine(first: SlicePlace, origin: NDArray[np.float64], step: NDArray[np.float64]) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3] = np.column_stack([first.along_columns, first.along_rows, step, origin])
    made: NDArray[np.float64] = _LPS_TO_RAS @ affine
    return made
