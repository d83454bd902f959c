"""Triangular filters on the mel scale, and how many of them hold no frequency of the Fourier transform."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scale", "empty_filters", "hertz_of", "mel_filters", "mel_of"]

Scale = Literal["slaney", "htk"]

_LINEAR, _BREAK = 200 / 3, 1000.0  # Hz per mel below the break, and the break in Hz, of Slaney's scale
_STEP = np.log(6.4) / 27  # logarithm of the ratio of neighbouring mels above the break


def mel_of(hertz: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Mels of frequencies in Hz.

    ``"htk"`` is ``2595 log10(1 + f / 700)`` (The HTK Book); ``"slaney"`` is linear below 1 kHz and logarithmic above
    (Slaney, Auditory Toolbox, 1998; the default of librosa).
    """
    hertz = np.asarray(hertz, dtype=np.float64)
    if scale == "htk":
        return 2595 * np.log10(1 + hertz / 700)
    above = _BREAK / _LINEAR + np.log(np.maximum(hertz, _BREAK) / _BREAK) / _STEP
    return np.where(hertz < _BREAK, hertz / _LINEAR, above)


def hertz_of(mels: NDArray[np.float64], scale: Scale) -> NDArray[np.float64]:
    """Frequencies in Hz of mels; the reverse of `mel_of`."""
    mels = np.asarray(mels, dtype=np.float64)
    if scale == "htk":
        return 700 * (10 ** (mels / 2595) - 1)
    above = _BREAK * np.exp(_STEP * (np.maximum(mels, _BREAK / _LINEAR) - _BREAK / _LINEAR))
    return np.where(mels < _BREAK / _LINEAR, mels * _LINEAR, above)


def mel_filters(rate: int, n_fft: int, bands: int, low_hz: float, high_hz: float, scale: Scale) -> NDArray[np.float64]:
    """Weights of the frequencies in each band, float64 ``[bands, n_fft // 2 + 1]`` in 1/Hz.

    Each filter is a triangle of area 1 over frequency (Slaney's normalisation), so white noise has the same power in
    all bands. The peaks lie at equal distances on the mel scale; a triangle reaches to the peaks beside it.

    Args:
        rate: Sampling rate in Hz.
        n_fft: Samples of the Fourier transform.
        bands: Number of filters.
        low_hz: Lower end of the lowest filter.
        high_hz: Upper end of the highest filter.
        scale: The mel scale.
    """
    ends = mel_of(np.array([low_hz, high_hz]), scale)
    edges = hertz_of(np.linspace(ends[0], ends[1], bands + 2), scale)
    bins = np.fft.rfftfreq(n_fft, 1 / rate)
    left, peak, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - left) / (peak - left), (right - bins) / (right - peak)
    weights = np.maximum(0.0, np.minimum(rising, falling)) * 2 / (right - left)
    return np.asarray(weights, dtype=np.float64)


def empty_filters(rate: int, n_fft: int, bands: int, low_hz: float, high_hz: float, scale: Scale) -> int:
    """Number of filters that lie between two frequencies of the transform: their bands are constant.

    Example:
        >>> empty_filters(16_000, 400, 128, 0, 8_000, "htk")
        4
    """
    weights = mel_filters(rate, n_fft, bands, low_hz, high_hz, scale)
    return int((weights.max(axis=1) == 0).sum())
