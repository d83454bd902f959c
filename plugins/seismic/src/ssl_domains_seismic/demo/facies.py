"""The facies of the simulated earth: three kinds of layers side by side in each unit, channels and chaotic bodies.

In every unit each kind of layers covers a third of the map, so the depth says nothing about the kind. Channels and
chaotic bodies lie at several depths.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.demo.structure import SHAPE, smooth_map

__all__ = [
    "CHANNEL",
    "CHAOTIC",
    "FACIES",
    "PARALLEL",
    "SLOPING",
    "UNITS",
    "WEAK",
    "draw_facies",
    "unit_of",
]

FACIES = ("parallel layers", "weak layers", "sloping layers", "channel fill", "chaotic body")
"""Name of each facies; its place is its number."""
PARALLEL, WEAK, SLOPING, CHANNEL, CHAOTIC = range(len(FACIES))

UNITS = (-70.0, -22.0, 22.0, 62.0, 106.0, 148.0, 190.0, 232.0)
"""Levels of the tops of the units; a strong reflection follows each."""

_CORRELATION = 16.0  # traces
_LEAN = 0.17  # share of the map by which a kind of layers moves from the top to the base of its unit
_UNIT_HEIGHT = 44.0  # samples, about
_CHANNEL_TOPS = (12.0, 58.0, 100.0, 142.0)
_CHANNEL_DEPTH, _CHANNEL_HALF_WIDTH = 19.0, 12.0  # samples, traces
_BODY_LEVELS = (28.0, 84.0, 125.0, 172.0)
_BODY_RADII = (24.0, 30.0, 17.0)  # inlines, crosslines, samples


def unit_of(level: NDArray[np.float32]) -> NDArray[np.int64]:
    """The unit of each level: its place in `UNITS`, 0 also for levels above the first top."""
    return np.searchsorted(np.array(UNITS[1:], dtype=np.float32), level, side="right").astype(np.int64)


def draw_facies(rng: np.random.Generator, level: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The facies of every voxel, and how far above the base of its channel a voxel of a channel lies.

    Args:
        rng: Generator.
        level: Level of each voxel, ``[inline, crossline, sample]``.

    Returns:
        Facies uint8, and the place in a channel float32 in samples: 0 at its base, negative above it, 0 outside.
        Both are shaped as `level`.
    """
    facies = _layers(rng, level)
    fill = np.zeros(SHAPE, dtype=np.float32)
    for centre, radii in _bodies(rng):
        facies[_inside(level, centre, radii, smooth_map(rng, 5.0))] = CHAOTIC
    for number, top in enumerate(_CHANNEL_TOPS):
        base = _channel_base(rng, along_inlines=number % 2 == 0)
        inside = (level >= top) & (level < top + base[..., None])
        facies[inside] = CHANNEL
        fill = np.where(inside, level - top - base[..., None], fill)
    return facies, fill


def _channel_base(rng: np.random.Generator, along_inlines: bool) -> NDArray[np.float32]:
    """Depth of a winding channel below its top in samples, float32 ``[inline, crossline]``; 0 outside.

    Args:
        rng: Generator.
        along_inlines: Whether it crosses all inlines; else it crosses all crosslines.
    """
    length, width = SHAPE[:2] if along_inlines else (SHAPE[1], SHAPE[0])
    along = np.arange(length)
    swing = width * rng.uniform(0.12, 0.2)
    middle = width * rng.uniform(0.35, 0.65) + swing * np.sin(2 * np.pi * (along / rng.uniform(60, 90) + rng.random()))
    across = (np.arange(width)[None, :] - middle[:, None]) / _CHANNEL_HALF_WIDTH
    base = _CHANNEL_DEPTH * np.clip(1 - across**2, 0, None)
    return np.asarray(base if along_inlines else base.T, dtype=np.float32)


def _layers(rng: np.random.Generator, level: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Parallel, weak and sloping layers: the thirds of a random field of each unit."""
    unit = unit_of(level)
    tops = np.array(UNITS, dtype=np.float32)[unit]
    height = np.clip((level - tops) / _UNIT_HEIGHT, 0, 1) - 0.5
    fields = np.stack([_ranks(smooth_map(rng, _CORRELATION)) for _ in UNITS])
    inline, crossline, _ = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    # Ranks are moved in a circle, so that each kind keeps its third at every height of the unit.
    rank = (fields[unit, inline, crossline] + _LEAN * height) % 1.0
    return np.asarray(np.minimum(rank * 3, 2), dtype=np.uint8)


def _ranks(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """The values of a field as ranks in [0, 1)."""
    order = np.argsort(np.argsort(field, axis=None, kind="stable"), kind="stable")
    return (order / field.size).reshape(field.shape).astype(np.float32)


def _bodies(rng: np.random.Generator) -> list[tuple[tuple[float, float, float], tuple[float, float, float]]]:
    """Centres and radii of the chaotic bodies; centres lie in different quarters of the map."""
    quarters = rng.permutation([(0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)])
    bodies = []
    for (inline, crossline), level in zip(quarters, _BODY_LEVELS, strict=True):
        centre = (
            SHAPE[0] * float(inline + rng.uniform(-0.06, 0.06)),
            SHAPE[1] * float(crossline + rng.uniform(-0.06, 0.06)),
            level,
        )
        stretch = rng.uniform(0.85, 1.15, 3)
        bodies.append((centre, (_BODY_RADII[0] * stretch[0], _BODY_RADII[1] * stretch[1], _BODY_RADII[2] * stretch[2])))
    return bodies


def _inside(
    level: NDArray[np.float32],
    centre: tuple[float, float, float],
    radii: tuple[float, float, float],
    rough: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """Voxels of an ellipsoid whose rim is rough."""
    inline, crossline = np.ogrid[: SHAPE[0], : SHAPE[1]]
    flat = ((inline - centre[0]) / radii[0]) ** 2 + ((crossline - centre[1]) / radii[1]) ** 2
    return np.asarray(flat[..., None] + ((level - centre[2]) / radii[2]) ** 2 < 1 + 0.18 * rough[..., None])
