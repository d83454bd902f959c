"""Hand-made features of recordings: statistics of the log-mel spectrogram and of its cepstrum, floors for encoders."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from ssl_domains.errors import UsageError

__all__ = ["log_mel_statistics", "mfcc_statistics"]

_SEGMENTS = 4
_COEFFICIENTS = 13


def log_mel_statistics(inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Mean and standard deviation of each mel band in each quarter of the time, float32 ``[n, 8 · bands]``.

    Four segments, as the mean over a whole word is the same for its reversal.

    Args:
        inputs: Spectrograms ``[n, 1, bands, frames]``, without padding.

    Raises:
        UsageError: For waveforms.
    """
    return _statistics(inputs, "log-mel statistics")


def mfcc_statistics(inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Mean and standard deviation of 13 mel-frequency cepstral coefficients in each quarter, float32 ``[n, 104]``.

    The coefficients are the first of the orthonormal cosine transform (type II) along the bands (Davis and Mermelstein
    1980).

    Args:
        inputs: Spectrograms ``[n, 1, bands, frames]``, without padding.

    Raises:
        UsageError: For waveforms.
    """
    if inputs.ndim == 4:
        inputs = dct(inputs.astype(np.float64), type=2, norm="ortho", axis=2)[:, :, :_COEFFICIENTS]
    return _statistics(inputs, "MFCC")


def _statistics(inputs: NDArray[Any], name: str) -> NDArray[np.float32]:
    if inputs.ndim != 4:
        raise UsageError(f"{name}: they need spectrograms", "leave out --handmade, or train with input.form=mel")
    frames = inputs.shape[-1]
    edges = np.linspace(0, frames, _SEGMENTS + 1).round().astype(int)
    parts = []
    for start, stop in itertools.pairwise(edges):
        first = min(start, frames - 1)
        part = inputs[:, 0, :, first : max(stop, first + 1)].astype(np.float64)
        parts += [part.mean(axis=2), part.std(axis=2)]
    return np.concatenate(parts, axis=1).astype(np.float32)
