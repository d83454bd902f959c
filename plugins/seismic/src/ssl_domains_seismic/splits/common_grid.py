"""Join the volumes of several files that cover one area: their samples become boxes of one grid.

Two stacks of one area, or a part that was cut out of a survey, are different files of the same earth. Which volumes
cover one area is told by map coordinates. The grid of the volume with the smallest bins serves for the whole area.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import Regions, SampleTable, regions_of
from ssl_domains_seismic.geometry.coordinates import MapFit
from ssl_domains_seismic.splits.file_place import FilePlace, file_place

__all__ = ["Area", "CommonGrid", "common_grid", "place_regions"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_SLACK = 0.25  # share of a bin that a box may reach into a bin without having it
_EXACT = 0.02  # share of a bin by which grids may be shifted and still be one


@dataclass(frozen=True)
class Area:
    """A part of the earth that one or several volumes cover.

    Attributes:
        names: Names of the volumes.
        fit: Place of the area's grid on the map; None where it isn't known.
    """

    names: tuple[str, ...]
    fit: MapFit | None


@dataclass(frozen=True)
class CommonGrid:
    """The samples of several tables as boxes of areas.

    Attributes:
        regions: For each table, its regions ``[inline, crossline, sample]`` in bins of the area; the code of an array
            is the number of the area.
        areas: The areas.
        notes: What is not known, or known only roughly, in sentences.
    """

    regions: list[Regions]
    areas: tuple[Area, ...]
    notes: tuple[str, ...]


def place_regions(tables: Sequence[SampleTable]) -> list[Regions] | None:
    """The regions of several tables, those of volumes that cover one area in one grid; None without regions."""
    grid = common_grid(tables)
    if grid is None:
        return regions_of(tables)
    return [Regions(one.arrays, one.starts, one.stops, grid.notes) for one in grid.regions]


def common_grid(tables: Sequence[SampleTable]) -> CommonGrid | None:
    """Place the samples of several tables in areas; None when they are no regions of volumes."""
    own = regions_of(tables)
    if own is None or any(one.rank != 3 for one in own):
        return None
    codes = sorted({int(code) for one in own for code in np.unique(one.arrays) if code >= 0})
    places, extents = {}, {}
    for code in codes:
        rows = [(table, one, np.flatnonzero(one.arrays == code)) for table, one in zip(tables, own, strict=True)]
        frames = [table.frame[found] for table, _, found in rows if len(found)]
        used = [frame.select(name for name in _COLUMNS if name in frame.columns) for frame in frames]
        places[code] = file_place(pl.concat(used, how="diagonal_relaxed"))
        low = np.min([one.starts[found].min(axis=0) for _, one, found in rows if len(found)], axis=0)
        high = np.max([one.stops[found].max(axis=0) for _, one, found in rows if len(found)], axis=0)
        extents[code] = low, high
    groups = _groups(places, extents)
    made = [(one.arrays.copy(), one.starts.copy(), one.stops.copy()) for one in own]
    areas, notes = [], _unknown(places)
    for number, group in enumerate(groups):
        reference = min(group, key=lambda code: (_bin_area(places[code]), places[code].name))
        vertical = _one_axis([places[code] for code in group])
        if not vertical:
            notes.append(f"{_named(places, group)}: times and depths can't be compared, so places on the map are")
        for code in group:
            exact = True
            for (arrays, starts, stops), one in zip(made, own, strict=True):
                rows_of = np.flatnonzero(one.arrays == code)
                arrays[rows_of] = number
                moved = _moved(places[code], places[reference], one.starts[rows_of], one.stops[rows_of], vertical)
                starts[rows_of], stops[rows_of] = moved[0], moved[1]
                exact &= moved[2]
            if not exact:
                notes.append(
                    f"{places[code].name} and {places[reference].name} cover one area by different grids: their shared "
                    "voxels are counted in bins of the second, and rounded up"
                )
        if len(group) > 1:
            notes.append(f"{_named(places, group)} cover one area, by their coordinates")
        areas.append(Area(tuple(places[code].name for code in group), places[reference].fit))
    regions = [Regions(arrays, starts, stops) for arrays, starts, stops in made]
    return CommonGrid(regions, tuple(areas), tuple(notes))


_COLUMNS = (
    "array", "path", "inline_bin", "crossline_bin", "sample_bin", "x_m", "y_m", "ms", "depth_m", "lines", "samples_as",
    "coordinates", "vertical", "index_path",
)  # fmt: skip


def _groups(places: dict[int, FilePlace], extents: dict[int, tuple[Ints, Ints]]) -> list[list[int]]:
    """Codes of the volumes of each area: volumes whose outlines on the map meet, directly or through others."""
    area_of = {code: code for code in places}
    outlines = {code: _outline(place.fit, *extents[code]) for code, place in places.items() if place.fit is not None}
    for one, other in itertools.combinations(sorted(outlines), 2):
        if area_of[one] != area_of[other] and _meet(outlines[one], outlines[other]):
            old, new = max(area_of[one], area_of[other]), min(area_of[one], area_of[other])
            area_of = {code: new if area == old else area for code, area in area_of.items()}
    by_name = sorted(places, key=lambda code: places[code].name)
    members = {area_of[code]: [one for one in by_name if area_of[one] == area_of[code]] for code in by_name}
    return list(members.values())


def _outline(fit: MapFit, low: Ints, high: Ints) -> Floats:
    """x and y of the corners of a part of the grid, in turn, float64 ``[4, 2]``; cells reach half a bin outwards."""
    corners = [(low[0], low[1]), (low[0], high[1]), (high[0], high[1]), (high[0], low[1])]
    inline, crossline = np.array([(i - 0.5, x - 0.5) for i, x in corners], dtype=np.float64).T
    return fit.at(inline, crossline)


def _meet(one: Floats, other: Floats) -> bool:
    """Whether two parallelograms on the map overlap or touch: no side of either separates them."""
    size = 1e-3 * min(float(np.ptp(shape, axis=0).max()) for shape in (one, other))
    for shape in (one, other):
        for corner in (0, 1):
            along = shape[corner + 1] - shape[corner]
            normal = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-12)
            first, second = one @ normal, other @ normal
            if first.min() - size > second.max() or second.min() - size > first.max():
                return False
    return True


def _moved(place: FilePlace, grid: FilePlace, starts: Ints, stops: Ints, vertical: bool) -> tuple[Ints, Ints, bool]:
    """Boxes of one volume in the bins of another: (starts, stops, whether they are exact)."""
    if place.fit is None or grid.fit is None or place is grid:
        low, high = starts.astype(np.float64), stops.astype(np.float64)
    else:
        ends = [np.asarray(one - 0.5, dtype=np.float64) for one in (starts, stops)]
        corners = [
            _bins(grid.fit, place.fit.at(inline[:, 0], crossline[:, 1])) + 0.5 for inline in ends for crossline in ends
        ]
        low, high = np.empty(starts.shape), np.empty(stops.shape)
        low[:, :2], high[:, :2] = np.min(corners, axis=0), np.max(corners, axis=0)
        if vertical and place.step is not None and grid.step is not None:
            for edges, into in zip(ends, (low, high), strict=True):
                into[:, 2] = (place.start + place.step * edges[:, 2] - grid.start) / grid.step + 0.5
        else:
            low[:, 2], high[:, 2] = starts[:, 2], stops[:, 2]
    if not vertical:
        low[:, 2], high[:, 2] = 0, 1
    exact = bool((np.abs(low - np.rint(low)) < _EXACT).all() and (np.abs(high - np.rint(high)) < _EXACT).all())
    turned = place.fit is not None and grid.fit is not None and not _parallel(place.fit, grid.fit)
    first, last = np.floor(low + _SLACK).astype(np.int64), np.ceil(high - _SLACK).astype(np.int64)
    return first, np.maximum(last, first + 1), exact and not turned


def _bins(fit: MapFit, xy: Floats) -> Floats:
    """Places on the grid, in bins, of points on the map."""
    return np.asarray((xy - np.array(fit.origin)) @ np.linalg.inv(np.array([fit.inline, fit.crossline])))


def _parallel(one: MapFit, other: MapFit) -> bool:
    """Whether the lines of two grids are parallel, inlines to inlines or to crosslines."""
    steps = np.abs(_bins(other, np.array(other.origin) + np.array([one.inline, one.crossline])))
    return bool((np.sort(steps, axis=1)[:, 0] < _EXACT * np.sort(steps, axis=1)[:, 1]).all())


def _one_axis(places: Sequence[FilePlace]) -> bool:
    """Whether the vertical axes of volumes can be compared."""
    return len(places) == 1 or (len({p.unit for p in places}) == 1 and all(p.step is not None for p in places))


def _bin_area(place: FilePlace) -> float:
    if place.fit is None:
        return 0.0
    # Rounded, so that volumes of one grid are equal although their fits differ in the last digits.
    return float(f"{abs(float(np.linalg.det(np.array([place.fit.inline, place.fit.crossline])))):.3g}")


def _unknown(places: dict[int, FilePlace]) -> list[str]:
    """Notes on volumes of which nobody knows whether they cover the area of others."""
    if len(places) < 2:
        return []
    notes = [
        f"{place.name}: {place.problem}; whether it covers the area of another file is not known"
        for place in places.values()
        if place.problem is not None
    ]
    nowhere = [code for code, place in places.items() if place.fit is None and place.problem is None]
    if nowhere:
        verb = "has" if len(nowhere) == 1 else "have"
        notes.append(
            f"{_named(places, nowhere)} {verb} no map coordinates: whether they cover one area with others is not known"
        )
    return notes


def _named(places: dict[int, FilePlace], codes: Sequence[int]) -> str:
    names = [places[code].name for code in codes]
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
