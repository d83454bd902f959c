"""Position-only floor of a dense probe: the class of each pixel from its place in the array, without any picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from ssl_domains.errors import DataError
from ssl_domains.probes.dense_data import DenseTargets
from ssl_domains.probes.dense_result import DenseResult
from ssl_domains.probes.overlap import add_confusion
from ssl_domains.probes.scored_once import MapPlaces
from ssl_domains.views import IGNORED

__all__ = ["POSITION", "position_floor"]

POSITION = "position alone"
"""Name of the floor in tables."""

_FITTED = 40_000  # pixels that the forest is fitted on; neighbouring ones tell it the same
_TREES = 50
_LEAF = 20


def position_floor(
    targets: DenseTargets,
    places: MapPlaces,
    groups: NDArray[Any],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    *,
    seed: int = 0,
) -> DenseResult:
    """Score of a random forest on the place of each pixel, as `ssl_domains.probes.run_dense_probe` scores a head.

    It says how far the classes follow depth or place alone. It is fitted on at most 40,000 labelled pixels.

    Args:
        targets: Masks of ``n`` pictures.
        places: Where they lie in their arrays.
        groups: Group of each picture ``[n]``.
        train: bool ``[n]``: labelled training pictures.
        test: bool ``[n]``: test pictures.
        seed: Seed of the drawn pixels and of the forest.

    Raises:
        DataError: When no training pixel is labelled, or there is no test picture.
    """
    rows, held = np.flatnonzero(train), np.flatnonzero(test)
    known, classes = _labelled(targets, places, rows, np.random.default_rng(seed))
    if not len(known) or not len(held):
        raise DataError("there is nothing to fit or to score", "label samples on both sides of the split")
    forest = RandomForestClassifier(_TREES, min_samples_leaf=_LEAF, random_state=seed).fit(known, classes)
    names, codes = np.unique(groups[held], return_inverse=True)
    kinds = len(targets.classes) + int(targets.background)
    counts = np.zeros((len(names), kinds, kinds), dtype=np.int64)
    for code, row in zip(codes.tolist(), held.tolist(), strict=True):
        truth = targets.native[row]
        scored = truth != IGNORED
        if scored.any():
            add_confusion(counts[code], truth[scored], forest.predict(_voxels(places, row)[scored.ravel()]))
    return DenseResult(
        counts=counts,
        groups=names,
        classes=targets.classes,
        chosen={"leaf": float(_LEAF)},
        labels=len(rows),
        trained_groups=len(np.unique(groups[rows])),
        tested=len(held),
        background=targets.background,
    )


def _labelled(
    targets: DenseTargets, places: MapPlaces, rows: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Places ``[m, 1 + rank]`` and classes ``[m]`` of drawn labelled pixels, as many of each picture."""
    most = max(1, _FITTED // max(len(rows), 1))
    found, classes = [], []
    for row in rows.tolist():
        truth = targets.native[row].ravel()
        drawn = np.flatnonzero(truth != IGNORED)
        if len(drawn) > most:
            drawn = rng.choice(drawn, most, replace=False)
        found.append(_voxels(places, row)[drawn])
        classes.append(truth[drawn])
    if not found:
        return np.empty((0, 1 + places.low.shape[1]), dtype=np.int64), np.empty(0, dtype=np.uint8)
    return np.concatenate(found), np.concatenate(classes)


def _voxels(places: MapPlaces, row: int) -> NDArray[np.int64]:
    """Array and voxel of each pixel of a map, int64 ``[H · W, 1 + rank]``, rows first."""
    down, right = places.axes[row].tolist()
    low, high = places.low[row], places.high[row]
    rows, columns = np.meshgrid(np.arange(low[down], high[down]), np.arange(low[right], high[right]), indexing="ij")
    voxels = np.repeat(low[None], rows.size, axis=0)
    voxels[:, down], voxels[:, right] = rows.ravel(), columns.ravel()
    return np.column_stack([np.full(len(voxels), places.arrays[row]), voxels])
