"""Line numbers from map coordinates alone, for files whose headers hold x and y and no lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["lines_from_map"]

_SAMPLES = 500
_NEAR = 0.25  # most distance of a trace from its place on the grid, in bins


def lines_from_map(xy: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.int32]] | None:
    """Number the traces of a regular grid by their coordinates.

    The direction of the crossline numbers is that from one trace of the file to the next; the other direction is that
    of the inline numbers. Both count from 1.

    Args:
        xy: Metres, float64 ``[n, 2]``.

    Returns:
        Inline and crossline of each trace, int32 ``[n]``; None when the coordinates are no regular grid.
    """
    points, first = np.unique(xy, axis=0, return_index=True)
    if len(points) < 9 or len(points) < 0.5 * len(xy):
        return None
    basis = _basis(points, xy[np.sort(first)])
    if basis is None:
        return None
    origin = points[0]
    for _ in range(3):  # rounding again after a fit gives the same places, once the basis is exact enough
        places = np.linalg.solve(basis.T, (points - origin).T).T
        whole = np.rint(places)
        design = np.concatenate([np.ones((len(points), 1)), whole], axis=1)
        solved, _, rank, _ = np.linalg.lstsq(design, points, rcond=None)
        if rank < 3:
            return None
        origin, basis = solved[0], solved[1:]
    places = np.linalg.solve(basis.T, (xy - origin).T).T
    whole = np.rint(places)
    if np.abs(places - whole).max() > _NEAR:
        return None
    numbers = (whole - whole.min(axis=0) + 1).astype(np.int32)
    return numbers[:, 1], numbers[:, 0]


def _basis(points: NDArray[np.float64], in_order: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Vectors from a trace to the next crossline and to the next inline, float64 ``[2, 2]``."""
    # Imported when called: most files have line numbers, and the import takes longer than reading their headers.
    from scipy.spatial import cKDTree

    chosen = points[np.linspace(0, len(points) - 1, num=min(len(points), _SAMPLES), dtype=np.int64)]
    near = cKDTree(points).query(chosen, k=min(len(points), 25))[1][:, 1:]
    vectors = (points[near] - chosen[:, None]).reshape(-1, 2)
    vectors[(vectors[:, 0] < 0) | ((vectors[:, 0] == 0) & (vectors[:, 1] < 0))] *= -1
    lengths = np.hypot(vectors[:, 0], vectors[:, 1])
    shortest = float(lengths.min())
    if shortest <= 0:
        return None
    one = _mean_near(vectors, vectors[lengths.argmin()], 0.3 * shortest)
    across = np.abs(vectors[:, 0] * one[1] - vectors[:, 1] * one[0]) / np.hypot(*one)
    apart = across > 0.3 * lengths
    if not apart.any():
        return None
    # The shortest vector that leads off the line of the first one.
    other = vectors[apart][lengths[apart].argmin()]
    two = _mean_near(vectors, other, 0.3 * float(np.hypot(*other)))
    steps = np.diff(in_order, axis=0)
    along = [float(np.median(np.abs(steps @ vector)) / np.hypot(*vector) ** 2) for vector in (one, two)]
    ordered = [one, two] if along[0] >= along[1] else [two, one]
    for number, vector in enumerate(ordered):  # numbers increase in the direction of the file
        moved = steps @ vector
        if float(np.median(moved) if number == 0 else moved.sum()) < 0:
            ordered[number] = -vector
    return np.array(ordered)


def _mean_near(vectors: NDArray[np.float64], centre: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    near = np.hypot(*(vectors - centre).T) < radius
    return np.asarray(vectors[near].mean(axis=0))
