"""The reflectivity of the simulated earth: each facies has a texture, and four of the five are equally strong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ssl_domains_seismic.demo.facies import CHANNEL, CHAOTIC, PARALLEL, SLOPING, UNITS, WEAK, unit_of
from ssl_domains_seismic.demo.structure import SHAPE

__all__ = ["draw_reflectivity"]

_LEVELS = 512  # entries of a table of layers, one for each sample
_SLOPE = 1.2  # samples a trace
_WEAK = 0.2  # strength of weak layers, beside 1
_FINE = 1.8  # how many times finer the beds of a channel are
_TOP = 1.3  # strength of the tops of units


def draw_reflectivity(
    rng: np.random.Generator,
    level: NDArray[np.float32],
    facies: NDArray[np.uint8],
    fill: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Reflection coefficients in arbitrary units, float32 ``[inline, crossline, sample]``.

    Args:
        rng: Generator.
        level: Level of each voxel.
        facies: Facies of each voxel.
        fill: Place of voxels of channels: samples from the base of their channel, negative above it.
    """
    unit = unit_of(level)
    azimuth = rng.uniform(0.2, 0.3, len(UNITS)) * np.pi + rng.integers(4, size=len(UNITS)) * np.pi / 2
    sloping = np.nonzero(facies == SLOPING)
    towards = azimuth[unit[sloping]]
    rise = (np.cos(towards) * sloping[0] + np.sin(towards) * sloping[1]).astype(np.float32)

    out = np.float32(_TOP) * _tops(level, unit)
    out[facies == PARALLEL] += _layer(rng, level[facies == PARALLEL])
    out[facies == WEAK] += np.float32(_WEAK) * _layer(rng, level[facies == WEAK])
    out[sloping] += _layer(rng, level[sloping] + np.float32(_SLOPE) * rise)
    out[facies == CHANNEL] = _layer(rng, np.float32(_FINE) * fill[facies == CHANNEL])
    return np.where(facies == CHAOTIC, _chaos(rng), out)


def _layer(rng: np.random.Generator, level: NDArray[np.float32]) -> NDArray[np.float32]:
    """Layers of random strength at given levels; the table of layers repeats itself beyond its ends."""
    table = rng.standard_normal(_LEVELS).astype(np.float32)
    low = np.floor(level)
    part = level - low
    first = low.astype(np.intp)
    return (1 - part) * table.take(first, mode="wrap") + part * table.take(first + 1, mode="wrap")


def _chaos(rng: np.random.Generator) -> NDArray[np.float32]:
    """Reflections without order, as strong as layers are on average."""
    noise = gaussian_filter(rng.standard_normal(SHAPE, dtype=np.float32), (1.1, 1.1, 0.4))
    return np.asarray(noise * np.sqrt(2 / 3) / noise.std(), dtype=np.float32)


def _tops(level: NDArray[np.float32], unit: NDArray[np.int64]) -> NDArray[np.float32]:
    """1 at the tops of units, falling to 0 within one sample."""
    tops = np.array([*UNITS, np.inf], dtype=np.float32)
    distance = np.minimum(np.abs(level - tops[unit]), np.abs(tops[unit + 1] - level))
    return np.asarray(np.clip(1 - distance, 0, None), dtype=np.float32)
