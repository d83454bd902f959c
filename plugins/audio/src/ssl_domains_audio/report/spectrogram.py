"""Thumbnails of recordings: the spectrogram, low frequencies at the bottom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains_audio.report.channels import mono

__all__ = ["thumbnail"]

_SIDE = 96
_WINDOW_S = 0.032
_FALLBACK = 256  # samples of the window where the rate is not known
_RANGE_DB = 60.0
_LINEAR_HZ = 700.0  # the mel scale is nearly linear below
# From silence to the loudest place: dark blue, violet, red, orange, light yellow.
_COLOURS = np.array([[10, 8, 40], [84, 20, 118], [187, 55, 84], [249, 142, 9], [252, 255, 190]], dtype=np.float64)


def thumbnail(array: NDArray[Any], row: Mapping[str, Any]) -> NDArray[np.uint8]:
    """A sample as a picture of its spectrogram, uint8 ``[96, 96, 3]``: time to the right, frequency upwards.

    A column is one window of 32 ms. Rows are equally far apart on the mel scale, from 0 to half of the rate. Colours
    span the 60 dB below the loudest place of the sample, so that the picture shows the form of a sound, not its level;
    a silent sample is dark.

    Args:
        array: ``[t, c]`` in the type of the file.
        row: Its row: ``rate`` and ``channel`` are read.
    """
    rate = float(row.get("rate") or 0.0)
    size = 1 << max(5, round(np.log2(_WINDOW_S * rate))) if rate else _FALLBACK
    starts = np.linspace(0, max(0, len(array) - size), _SIDE).round().astype(np.int64)
    places = starts[:, None] + np.arange(size)
    windows = mono(array[np.minimum(places, len(array) - 1).ravel()], row).reshape(places.shape)
    windows[places >= len(array)] = 0.0
    power = np.abs(np.fft.rfft(windows * np.hanning(size + 2)[1:-1], axis=1)) ** 2
    level = 10 * np.log10(_bands(power, rate or 8000.0) + 1e-12)
    share = np.clip((level - level.max()) / _RANGE_DB + 1, 0, 1) if level.max() > -110 else np.zeros_like(level)
    steps = share.T[::-1] * (len(_COLOURS) - 1)
    lower = np.minimum(steps.astype(np.int64), len(_COLOURS) - 2)
    between = (steps - lower)[..., None]
    picture = _COLOURS[lower] * (1 - between) + _COLOURS[lower + 1] * between
    return np.asarray(np.rint(picture), dtype=np.uint8)


def _bands(power: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Power at frequencies equally far apart on the mel scale, ``[window, 96]``; the largest of the bins in between."""
    bins = power.shape[1]
    edges = _LINEAR_HZ * np.expm1(np.linspace(0, np.log1p(rate / 2 / _LINEAR_HZ), _SIDE + 1))
    first = np.minimum((edges[:-1] / (rate / 2) * (bins - 1)).astype(np.int64), bins - 1)
    last = np.maximum((edges[1:] / (rate / 2) * (bins - 1)).astype(np.int64), first + 1)
    return np.stack([power[:, one:other].max(axis=1) for one, other in zip(first, last, strict=True)], axis=1)
