"""Resampling of a signal to another rate, with an exact length."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import soxr
from numpy.typing import NDArray

__all__ = ["resampled", "resampled_length"]


def resampled_length(samples: int, native: float, rate: float) -> int:
    """Samples of a signal at another rate: its seconds times the rate, rounded (halves up).

    Example:
        >>> resampled_length(1103, 11_025, 16_000)
        1601
    """
    return int(Fraction(samples) * Fraction(rate) / Fraction(native) + Fraction(1, 2))


def resampled(signal: NDArray[np.float32], native: float, rate: float) -> NDArray[np.float32]:
    """A signal ``[t]`` at another rate, by the resampler of soxr (quality HQ), of exactly `resampled_length` samples.

    Args:
        signal: The samples.
        native: Their rate in Hz.
        rate: The rate of the result in Hz.
    """
    if native == rate:
        return signal
    length = resampled_length(len(signal), native, rate)
    made = np.asarray(soxr.resample(signal, native, rate, quality="HQ"), dtype=np.float32)[:length]
    return made if len(made) == length else np.pad(made, (0, length - len(made)))
