"""The picture of a recording by which near copies are found: power over time and frequency, coarse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains_audio.report.channels import mono

__all__ = ["near_picture"]

_LOW_HZ, _HIGH_HZ, _BANDS = 80.0, 3600.0, 32
_WINDOW_S, _MOST_FRAMES, _LEAST_FRAMES = 0.032, 512, 32
_RANGE_DB = 60.0
_SPREADS = 1.5  # half of the picture, in standard deviations of the time at which there is energy
_LEAST_SHARE = 0.25  # of the recording that a picture shows, so that a click is not all of it


def near_picture(array: NDArray[Any], row: Mapping[str, Any]) -> NDArray[np.float32]:
    """Power of a recording in dB below its largest, float32 ``[32, frames]``, 0 to 60.

    It hardly changes when a recording is copied at another level, resampled to 8 kHz or more, re-encoded with loss, or
    when other channels are taken. Nor does it when a copy of a short sound begins some 10 ms earlier or later, as the
    picture shows the stretch of time that holds most of the energy, wherever it lies. The bands reach from 80 to
    3,600 Hz, evenly in log frequency.

    Args:
        array: ``[t, c]`` or ``[t]``, as the reader gives it.
        row: Its row, of which ``rate`` and ``channel`` are read.
    """
    rate = float(row.get("rate") or 16_000)
    wave = mono(array, row)
    window = max(round(_WINDOW_S * rate), 16)
    frames = int(np.clip(2 * len(wave) // window, _LEAST_FRAMES, _MOST_FRAMES))
    padded = np.pad(wave, (0, max(window - len(wave), 0)))
    starts = _starts(padded, window, frames)
    cut = padded[starts[:, None] + np.arange(window)] * np.hanning(window).astype(np.float32)
    power = np.abs(np.fft.rfft(cut, axis=1)) ** 2
    below = np.concatenate((np.zeros((frames, 1)), np.cumsum(power, axis=1)), axis=1)
    edges = np.geomspace(_LOW_HZ, min(_HIGH_HZ, rate / 2), _BANDS + 1) * window / rate
    places = np.arange(below.shape[1])
    bands = np.diff(np.stack([np.interp(edges, places, one) for one in below]), axis=1)
    loudest = bands.max()
    if loudest <= 0:
        return np.zeros((_BANDS, frames), dtype=np.float32)
    floor = loudest * 10 ** (-_RANGE_DB / 10)
    return np.asarray(10 * np.log10(np.maximum(bands, floor) / floor), dtype=np.float32).T


def _starts(wave: NDArray[np.float32], window: int, frames: int) -> NDArray[np.int64]:
    """First samples of the frames: even steps around the centre of the energy, as far as it spreads."""
    last = len(wave) - window
    below = np.concatenate(([0.0], np.cumsum((wave - wave.mean(dtype=np.float64)) ** 2)))
    places = np.arange(0, last + 1, max(1, window // 4))
    energy = below[places + window] - below[places]
    if energy.sum() <= 0:
        return np.linspace(0, last, frames).astype(np.int64)
    centre = np.average(places, weights=energy)
    spread = float(np.sqrt(np.average((places - centre) ** 2, weights=energy)))
    half = max(_SPREADS * spread, _LEAST_SHARE * last / 2)
    return np.clip(np.rint(np.linspace(centre - half, centre + half, frames)), 0, last).astype(np.int64)
