"""The structure of the simulated earth: folds and faults, as the layer level of every voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

__all__ = ["SHAPE", "Structure", "crossing", "draw_structure", "smooth_map"]

SHAPE = (100, 120, 200)
"""Inlines, crosslines and samples of the survey."""

_FOLD = 9.0  # samples from the middle to a crest
_THROWS = (11.0, -9.0, 13.0)  # samples that the far side of each fault has moved
_DIP = 0.12  # traces that a fault moves sideways with each sample


@dataclass(frozen=True)
class Structure:
    """Where the layers lie.

    Attributes:
        level: float32 ``[inline, crossline, sample]``: the sample at which a voxel lay before folding and faulting.
            Voxels of equal level belong to one layer, and level grows by 1 with each sample away from faults.
    """

    level: NDArray[np.float32]


def draw_structure(rng: np.random.Generator) -> Structure:
    """A random fold, and three faults that dip."""
    inline, crossline, sample = (axis.astype(np.float32) for axis in np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]])
    fold = _FOLD * smooth_map(rng, 22.0) + _FOLD * np.sin(crossline[..., 0] / 21 + inline[..., 0] / 60)
    level = sample - fold[..., None]
    for number, throw in enumerate(_THROWS):
        azimuth = float(rng.uniform(-0.5, 0.5)) + (np.pi / 2 if number == 1 else 0.0)
        across = (crossline - SHAPE[1] * (number + 1) / 4) * np.cos(azimuth) + (inline - SHAPE[0] / 2) * np.sin(azimuth)
        level = level - throw * (across > _DIP * (sample - SHAPE[2] / 2))
    return Structure(np.ascontiguousarray(level, dtype=np.float32))


def smooth_map(rng: np.random.Generator, traces: float) -> NDArray[np.float32]:
    """A random field over the map, float32 ``[inline, crossline]``, of mean 0 and standard deviation 1.

    Args:
        rng: Generator.
        traces: Distance in traces over which it stays alike.
    """
    field = gaussian_filter(rng.standard_normal(SHAPE[:2]), traces, mode="reflect")
    return np.asarray((field - field.mean()) / field.std(), dtype=np.float32)


def crossing(level: NDArray[np.float32], wanted: float) -> NDArray[np.float64]:
    """The sample at which each trace first reaches a level, float64 ``[inline, crossline]``; NaN where it does not."""
    reached = level >= wanted
    below = np.argmax(reached, axis=2)
    inside = reached.any(axis=2) & (below > 0)
    above = np.maximum(below - 1, 0)
    low = np.take_along_axis(level, above[..., None], axis=2)[..., 0].astype(np.float64)
    high = np.take_along_axis(level, below[..., None], axis=2)[..., 0].astype(np.float64)
    part = np.divide(wanted - low, high - low, out=np.zeros_like(low), where=inside & (high > low))
    return np.where(inside, above + part, np.nan)
