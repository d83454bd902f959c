"""The outlines of a mask: closed rings along the edges of its cells, as GeoJSON polygons want them."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ring", "outlines"]

Ring = list[tuple[int, int]]
"""Corners (row, column) of a closed line; the first is the last. Cell (0, 0) reaches from corner (0, 0) to (1, 1)."""


def outlines(mask: NDArray[np.bool_]) -> list[list[Ring]]:
    """Polygons that cover exactly the cells of a mask.

    Args:
        mask: bool ``[rows, columns]``.

    Returns:
        Polygons; each is its outer ring and the rings of its holes. Cells that touch at a corner only are in different
        polygons.
    """
    rings = _rings(mask)
    outer = [ring for ring in rings if _area(ring) > 0]
    polygons = [[ring] for ring in outer]
    for hole in (ring for ring in rings if _area(ring) < 0):
        around = [polygon for polygon in polygons if _holds(polygon[0], hole)]
        min(around, key=lambda polygon: _area(polygon[0])).append(hole)
    return polygons


def _rings(mask: NDArray[np.bool_]) -> list[Ring]:
    """Edges between cells inside and outside, joined; the inside is always on the same hand."""
    padded = np.pad(mask, 1)
    steps: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for (row_step, column_step), start, end in (
        ((-1, 0), (0, 1), (0, 0)),  # the neighbour above is outside: walk its edge to the left
        ((1, 0), (1, 0), (1, 1)),
        ((0, -1), (0, 0), (1, 0)),
        ((0, 1), (1, 1), (0, 1)),
    ):
        outside = ~np.roll(padded, (-row_step, -column_step), (0, 1))[1:-1, 1:-1]
        for row, column in np.argwhere(mask & outside).tolist():
            steps[row + start[0], column + start[1]].append((row + end[0], column + end[1]))
    rings = []
    while steps:
        first = next(iter(steps))
        ring = [first]
        while len(ring) == 1 or ring[-1] != first:
            ring.append(_next(ring, steps))
        rings.append(_corners(ring))
    return rings


def _next(ring: Ring, steps: dict[tuple[int, int], list[tuple[int, int]]]) -> tuple[int, int]:
    """Take the step on from the end of a ring; where two lead on, the one that keeps to the same cell."""
    here = ring[-1]
    choices = steps[here]
    taken = 0
    if len(choices) > 1 and len(ring) > 1:
        row, column = here[0] - ring[-2][0], here[1] - ring[-2][1]
        taken = choices.index((here[0] - column, here[1] + row))
    there = choices.pop(taken)
    if not choices:
        del steps[here]
    return there


def _corners(ring: Ring) -> Ring:
    """The ring without the points on its straight parts."""
    points = np.array(ring[:-1])
    before, after = points - np.roll(points, 1, 0), np.roll(points, -1, 0) - points
    kept = points[(before != after).any(1)].tolist()
    return [(row, column) for row, column in [*kept, kept[0]]]


def _area(ring: Ring) -> float:
    """Signed area: positive for the outer line of cells."""
    row, column = np.array(ring, dtype=float).T
    return float(np.sum(column[:-1] * row[1:] - column[1:] * row[:-1]) / -2)


def _holds(ring: Ring, hole: Ring) -> bool:
    """Whether a ring goes around a hole: a point just inside the hole's first corner is tried."""
    row, column = hole[0][0] + 0.25, hole[0][1] + 0.25
    if not _inside(hole, row, column):
        offsets = ((0.25, -0.25), (-0.25, 0.25), (-0.25, -0.25))
        row, column = next(
            (hole[0][0] + down, hole[0][1] + right)
            for down, right in offsets
            if _inside(hole, hole[0][0] + down, hole[0][1] + right)
        )
    return _inside(ring, row, column)


def _inside(ring: Ring, row: float, column: float) -> bool:
    crossed = False
    for (top, left), (bottom, right) in pairwise(ring):
        if left == right and (top > row) != (bottom > row) and left > column:
            crossed = not crossed
    return crossed
