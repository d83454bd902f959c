"""From reflectivity to traces: convolution with a Ricker wavelet whose frequency falls with depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

__all__ = ["convolved", "ricker"]


def ricker(hertz: float, interval_ms: float) -> NDArray[np.float32]:
    """A Ricker wavelet, float32 ``[2 n + 1]``, of peak 1 in the middle.

    Source: N. Ricker, Wavelet contraction, wavelet expansion, and the control of seismic resolution, Geophysics 18
    (1953): ``(1 - 2 a) exp(-a)`` with ``a = (π f t)²``.

    Args:
        hertz: Its peak frequency.
        interval_ms: Time from a sample to the next one.
    """
    half = int(np.ceil(1.2 / hertz * 1000 / interval_ms))
    squared = (np.pi * hertz * np.arange(-half, half + 1) * interval_ms / 1000) ** 2
    return np.asarray((1 - 2 * squared) * np.exp(-squared), dtype=np.float32)


def convolved(reflectivity: NDArray[np.float32], hertz: tuple[float, float], interval_ms: float) -> NDArray[np.float32]:
    """Traces of a reflectivity.

    Args:
        reflectivity: ``[…, sample]``.
        hertz: Peak frequency at the first and at the last sample; between them the two results are mixed.
        interval_ms: Time from a sample to the next one.
    """
    high, low = (convolve1d(reflectivity, ricker(each, interval_ms), axis=-1, mode="constant") for each in hertz)
    deep = np.linspace(0, 1, reflectivity.shape[-1], dtype=np.float32)
    return np.asarray((1 - deep) * high + deep * low, dtype=np.float32)
