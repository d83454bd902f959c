"""The simulated survey: numbers, coordinates and times of its traces, and the amplitudes of two angle stacks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.demo.facies import FACIES, UNITS, draw_facies
from ssl_domains_seismic.demo.reflectivity import draw_reflectivity
from ssl_domains_seismic.demo.structure import SHAPE, crossing, draw_structure, smooth_map
from ssl_domains_seismic.demo.wavelet import convolved

__all__ = [
    "AFFINE",
    "CROSSLINES",
    "DELAY_MS",
    "INLINES",
    "INTERVAL_MS",
    "MS",
    "STACKS",
    "Survey",
    "draw_survey",
]

INTERVAL_MS = 4
DELAY_MS = 1000
INLINES = 200 + 2 * np.arange(SHAPE[0], dtype=np.int64)
CROSSLINES = 1000 + 4 * np.arange(SHAPE[1], dtype=np.int64)
MS = DELAY_MS + INTERVAL_MS * np.arange(SHAPE[2], dtype=np.int64)
"""Inline numbers, crossline numbers, and times of the samples in ms."""

_ROTATION = np.deg2rad(32.0)
_PER_INLINE, _PER_CROSSLINE = 25.0 / 2, 12.5 / 4  # metres for each number
_COS, _SIN = float(np.cos(_ROTATION)), float(np.sin(_ROTATION))
_LINEAR = np.array([[_COS * _PER_INLINE, -_SIN * _PER_CROSSLINE], [_SIN * _PER_INLINE, _COS * _PER_CROSSLINE]])
AFFINE = np.column_stack([_LINEAR, np.array([431_250.0, 6_478_400.0]) - _LINEAR @ [INLINES[0], CROSSLINES[0]]])
"""float64 ``[2, 3]``: ``[x, y] = AFFINE @ [inline, crossline, 1]``, in metres."""

_HOLE = (38.0, 71.0, 6.5, 9.5)  # inline, crossline and radii of a platform without traces
_NOISE = 0.22  # beside amplitudes of about 1
_GAIN = 0.3  # standard deviation of the logarithm of the gain over the map


@dataclass(frozen=True)
class Stack:
    """An angle stack.

    Attributes:
        title: What its text header says.
        hertz: Peak frequency of the wavelet at the first and the last sample.
        strength: Factor on the reflectivity of each facies.
        amplitude: Factor on the traces.
    """

    title: str
    hertz: tuple[float, float]
    strength: tuple[float, ...]
    amplitude: float


STACKS = {
    "near": Stack("NEAR ANGLE STACK 5-15 DEGREES", (42.0, 26.0), (1.0, 1.0, 1.0, 1.0, 1.0), 1000.0),
    "far": Stack("FAR ANGLE STACK 25-35 DEGREES", (32.0, 20.0), (0.7, 1.2, 0.8, 1.5, 0.9), 640.0),
}
"""Name → stack. Both cover the same traces."""


@dataclass(frozen=True)
class Survey:
    """What was simulated.

    Attributes:
        facies: uint8 ``[inline, crossline, sample]``, numbers of `FACIES`; exact, also where there are no traces.
        live: bool ``[inline, crossline]``: whether there is a trace.
        stacks: Name → amplitudes float32, shaped as `facies`.
        horizon: Time in ms at which each trace reaches the top of a unit, float64 ``[inline, crossline]``; NaN where it
            does not.
    """

    facies: NDArray[np.uint8]
    live: NDArray[np.bool_]
    stacks: dict[str, NDArray[np.float32]]
    horizon: NDArray[np.float64]


def draw_survey(seed: int) -> Survey:
    """Simulate the survey of a seed; nothing is written."""
    rng = np.random.default_rng(seed)
    level = draw_structure(rng).level
    facies, fill = draw_facies(rng, level)
    reflectivity = draw_reflectivity(rng, level, facies, fill)
    gain = np.exp(np.float32(_GAIN) * smooth_map(rng, 18.0))[..., None]
    stacks = {}
    for name, stack in STACKS.items():
        strength = np.array(stack.strength, dtype=np.float32)[: len(FACIES)][facies]
        traces = gain * convolved(strength * reflectivity, stack.hertz, INTERVAL_MS)
        noise = convolved(rng.standard_normal(SHAPE, dtype=np.float32), stack.hertz, INTERVAL_MS)
        traces += np.float32(_NOISE / noise.std()) * noise
        stacks[name] = np.float32(stack.amplitude) * traces
    inline, crossline = np.ogrid[: SHAPE[0], : SHAPE[1]]
    hole = ((inline - _HOLE[0]) / _HOLE[2]) ** 2 + ((crossline - _HOLE[1]) / _HOLE[3]) ** 2 < 1
    return Survey(facies, ~hole, stacks, DELAY_MS + INTERVAL_MS * crossing(level, UNITS[4]))
