"""The speakers of the demonstration: pitch, length of the vocal tract and tilt of the voice are drawn apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SPEAKERS", "TRAIN", "Speaker", "draw_speakers"]

SPEAKERS, TRAIN = 12, 8
"""Number of speakers, and how many of them are on the training side."""

_PITCH_HZ, _SCALE, _TILT_DB = (90.0, 230.0), (0.88, 1.20), (6.0, 14.0)
_MOST_CORRELATED = 0.1
"""Largest correlation of two traits over the speakers, so that none can be read from another."""


@dataclass(frozen=True)
class Speaker:
    """A voice.

    Attributes:
        name: Id, such as ``"S01"``.
        side: ``"train"`` or ``"test"``.
        pitch: Fundamental frequency, Hz.
        scale: Factor on all formants, as of a shorter (above 1) or longer vocal tract.
        tilt: Fall of the harmonics, dB for an octave.
    """

    name: str
    side: str
    pitch: float
    scale: float
    tilt: float


def draw_speakers(rng: np.random.Generator) -> list[Speaker]:
    """Twelve speakers; each trait is spread evenly over its range, in an order of its own."""
    pitch = np.geomspace(*_PITCH_HZ, SPEAKERS)
    scale = np.geomspace(*_SCALE, SPEAKERS)
    tilt = np.linspace(*_TILT_DB, SPEAKERS)
    scale = _apart(scale, [pitch], rng)
    tilt = _apart(tilt, [pitch, scale], rng)
    sides = rng.permutation(["train"] * TRAIN + ["test"] * (SPEAKERS - TRAIN))
    return [
        Speaker(f"S{number + 1:02d}", str(side), float(pitch[place]), float(scale[place]), float(tilt[place]))
        for number, (side, place) in enumerate(zip(sides, rng.permutation(SPEAKERS), strict=True))
    ]


def _apart(
    values: NDArray[np.float64], others: list[NDArray[np.float64]], rng: np.random.Generator
) -> NDArray[np.float64]:
    """The values in an order that hardly correlates with the other traits."""
    while True:
        tried = rng.permutation(values)
        if all(abs(np.corrcoef(tried, other)[0, 1]) <= _MOST_CORRELATED for other in others):
            return tried
