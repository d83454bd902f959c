"""Hand-made features of recordings: statistics of the log-mel spectrogram, a floor for every encoder."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError

__all__ = ["log_mel_statistics"]

_SEGMENTS = 4


def log_mel_statistics(inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Mean and standard deviation of each mel band in each quarter of the time, float32 ``[n, 8 · bands]``.

    Four segments, as the mean over a whole word is the same for its reversal.

    Args:
        inputs: Spectrograms ``[n, 1, bands, frames]``, without padding.

    Raises:
        UsageError: For waveforms.
    """
    if inputs.ndim != 4:
        raise UsageError("log-mel statistics need spectrograms", "leave out --handmade, or train with input.form=mel")
    frames = inputs.shape[-1]
    edges = np.linspace(0, frames, _SEGMENTS + 1).round().astype(int)
    parts = []
    for start, stop in itertools.pairwise(edges):
        first = min(start, frames - 1)
        part = inputs[:, 0, :, first : max(stop, first + 1)].astype(np.float64)
        parts += [part.mean(axis=2), part.std(axis=2)]
    return np.concatenate(parts, axis=1).astype(np.float32)
