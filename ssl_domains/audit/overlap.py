"""Count the voxels that two sets of boxes share, exactly and without a mask of the whole array.

Only the planes between two neighbouring ends of boxes along one axis are ever held: between two ends nothing changes,
so that one plane stands for all places between them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import Regions

__all__ = ["Overlap", "overlap_of", "smallest_gap", "voxels_of"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Overlap:
    """What two sets of regions share; a voxel in several regions of one set counts once.

    Attributes:
        shared: Voxels that lie in a region of both sets.
        inside_a: Of each region of ``a``, the voxels that lie in any region of ``b``, int64 ``[n_a]``.
        inside_b: Of each region of ``b``, the voxels that lie in any region of ``a``, int64 ``[n_b]``.
    """

    shared: int
    inside_a: Ints
    inside_b: Ints


def voxels_of(regions: Regions) -> int:
    """Number of voxels of all regions together, each counted once; regions that are not known have none."""
    return sum(_union(regions.starts[rows], regions.stops[rows]) for _, rows in _by_array(regions))


def overlap_of(a: Regions, b: Regions) -> Overlap:
    """Count the voxels that two sets of regions share; both number their arrays alike (`regions_of`)."""
    inside_a, inside_b = np.zeros(len(a), np.int64), np.zeros(len(b), np.int64)
    shared = 0
    of_a = dict(_by_array(a))
    for code, rows_b in _by_array(b):
        if code not in of_a:
            continue
        rows_a = of_a[code]
        # Only what lies in the bounding boxes of both sets can be shared: the rest is cut away.
        low = np.maximum(a.starts[rows_a].min(axis=0), b.starts[rows_b].min(axis=0))
        high = np.minimum(a.stops[rows_a].max(axis=0), b.stops[rows_b].max(axis=0))
        first, second = (_cut(one.starts[rows], one.stops[rows], low, high) for one, rows in ((a, rows_a), (b, rows_b)))
        if not len(first[0]) or not len(second[0]):
            continue
        common, counted_a, counted_b = _sweep(first[1], first[2], second[1], second[2])
        shared += common
        inside_a[rows_a[first[0]]] = counted_a
        inside_b[rows_b[second[0]]] = counted_b
    return Overlap(shared, inside_a, inside_b)


def smallest_gap(a: Regions, b: Regions, most: int) -> int | None:
    """Smallest gap between the edges of a region of ``a`` and one of ``b``, up to ``most``; 0 when they touch.

    The gap of two boxes is the number of places between them along the axis where it is largest.

    Returns:
        None when the gap is at least ``most``, or no array is in both sets; −1 when they share a voxel.
    """
    if not _within(a, b, most):
        return None
    low, high = -1, most  # the gap is at least low and less than high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _within(a, b, middle) else (middle, high)
    return low


def _within(a: Regions, b: Regions, gap: int) -> bool:
    """Whether a gap is smaller than ``gap``: the regions of ``a``, grown by it on all sides, share a voxel with b."""
    grown = Regions(a.arrays, a.starts - gap, a.stops + gap)
    return overlap_of(grown, b).shared > 0


def _by_array(regions: Regions) -> Iterator[tuple[int, Ints]]:
    order = np.argsort(regions.arrays, kind="stable")
    codes, firsts, counts = np.unique(regions.arrays[order], return_index=True, return_counts=True)
    for code, first, count in zip(codes.tolist(), firsts.tolist(), counts.tolist(), strict=True):
        if code >= 0:
            yield code, order[first : first + count]


def _cut(starts: Ints, stops: Ints, low: Ints, high: Ints) -> tuple[Ints, Ints, Ints]:
    """(rows of the boxes of which something is left between ``low`` and ``high``, their starts, their stops)."""
    starts, stops = np.maximum(starts, low), np.minimum(stops, high)
    rows = np.flatnonzero((starts < stops).all(axis=1))
    return rows, starts[rows], stops[rows]


def _union(starts: Ints, stops: Ints) -> int:
    return _sweep(starts, stops, starts[:0], stops[:0], whole=True)[0]


class _Side:
    """One set of boxes during a sweep: how many cover each cell of the plane, and the voxels swept so far.

    Args:
        starts: Places of the starts among the ends of all boxes, int64 ``[n, axes]``; the swept axis is the first.
        stops: Places of the stops, likewise.
        cells: Size of each cell of a plane, int64 ``[cells along each other axis]``.
    """

    def __init__(self, starts: Ints, stops: Ints, cells: Ints) -> None:
        self._ends = starts, stops
        self._changes = np.zeros(tuple(side + 1 for side in cells.shape), dtype=np.int32)
        self._cells = cells
        self._orders = [np.argsort(ends[:, 0], kind="stable") for ends in self._ends]
        self._sorted = [ends[order, 0] for ends, order in zip(self._ends, self._orders, strict=True)]
        self.covered = np.zeros(cells.shape, dtype=np.bool_)
        self._swept = np.zeros(self._changes.shape, dtype=np.int64)  # with a border of zeros

    def rows(self, place: int) -> tuple[Ints, Ints]:
        """(rows of the boxes that start at a place of the swept axis, rows of those that stop there)."""
        return tuple(  # type: ignore[return-value]
            order[np.searchsorted(ends, place, "left") : np.searchsorted(ends, place, "right")]
            for order, ends in zip(self._orders, self._sorted, strict=True)
        )

    def move(self, begun: Ints, ended: Ints) -> None:
        """Add the boxes that start here and take away those that stop here."""
        if not len(begun) and not len(ended):
            return
        for rows, sign in ((begun, 1), (ended, -1)):
            for corner, index in self.corners(rows):
                np.add.at(self._changes, index, sign * corner)
        counts = self._changes
        for axis in range(counts.ndim):
            counts = counts.cumsum(axis=axis, dtype=np.int32)
        self.covered = counts[tuple(slice(0, side) for side in self._cells.shape)] > 0

    def sweep(self, thickness: int) -> None:
        """Go on along the swept axis: what is covered now reaches ``thickness`` places further."""
        sums = np.where(self.covered, self._cells * thickness, 0)
        for axis in range(sums.ndim):
            sums = sums.cumsum(axis=axis)
        self._swept[tuple(slice(1, None) for _ in sums.shape)] += sums

    def corners(self, rows: Ints) -> Iterator[tuple[int, tuple[Ints, ...]]]:
        """The corners of some boxes in the plane, each with its sign as a change: 1 for the first corner."""
        axes = range(1, self._ends[0].shape[1])
        for chosen in itertools.product((0, 1), repeat=len(axes)):
            index = tuple(self._ends[which][rows, axis] for which, axis in zip(chosen, axes, strict=True))
            yield (-1) ** sum(chosen), index

    def swept(self, corners: Iterator[tuple[int, tuple[Ints, ...]]], count: int) -> Ints:
        """Voxels covered so far above each of ``count`` boxes of the plane, int64 ``[count]``."""
        total = np.zeros(count, dtype=np.int64)
        for sign, index in corners:
            total += sign * self._swept[index]
        # A sum over a box counts its last corner positive, a change the first one.
        return total if self._swept.ndim % 2 == 0 else -total


def _sweep(
    a_starts: Ints, a_stops: Ints, b_starts: Ints, b_stops: Ints, *, whole: bool = False
) -> tuple[int, Ints, Ints]:
    """(voxels in both sets, voxels of each box of a inside b, voxels of each box of b inside a).

    With ``whole``, the first number counts the voxels of a, and the others are 0.
    """
    if a_starts.shape[1] == 1:  # a plane needs an axis
        a_starts, b_starts = (np.pad(one, ((0, 0), (0, 1))) for one in (a_starts, b_starts))
        a_stops, b_stops = (np.pad(one, ((0, 0), (0, 1)), constant_values=1) for one in (a_stops, b_stops))
    ends, places = [], []
    for axis in range(a_starts.shape[1]):
        every = np.concatenate([part[:, axis] for part in (a_starts, a_stops, b_starts, b_stops)])
        known, where = np.unique(every, return_inverse=True)
        ends.append(known)
        places.append(where.reshape(-1))
    longest = int(np.argmax([len(known) for known in ends]))
    order = [longest, *(axis for axis in range(len(ends)) if axis != longest)]
    lengths = [np.diff(ends[axis]) for axis in order]
    cells = np.ones((), dtype=np.int64)
    for length in lengths[1:]:
        cells = np.multiply.outer(cells, length)
    split = np.cumsum([len(a_starts), len(a_stops), len(b_starts)])
    parts = np.split(np.stack([places[axis] for axis in order], axis=1), split)
    a, b = _Side(parts[0], parts[1], cells), _Side(parts[2], parts[3], cells)
    inside_a, inside_b = np.zeros(len(a_starts), np.int64), np.zeros(len(b_starts), np.int64)
    total = 0
    for place in range(len(ends[longest])):
        events = a.rows(place), b.rows(place)
        for inside, other, side, (begun, ended) in ((inside_a, b, a, events[0]), (inside_b, a, b, events[1])):
            if not whole:
                inside[begun] -= other.swept(side.corners(begun), len(begun))
                inside[ended] += other.swept(side.corners(ended), len(ended))
        a.move(*events[0])
        b.move(*events[1])
        if place == len(lengths[0]):
            break
        thickness = int(lengths[0][place])
        both = a.covered if whole else a.covered & b.covered
        total += thickness * int(cells[both].sum())
        if not whole:
            a.sweep(thickness)
            b.sweep(thickness)
    return total, inside_a, inside_b
