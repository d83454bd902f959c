"""A smooth band-pass filter along the rows of pictures, which are time."""

from __future__ import annotations

import functools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains_seismic.views.zero import ZERO

__all__ = ["band_passed", "band_passed_picture", "check_interval", "response", "span_to_nyquist", "to_nyquist"]

_RISE = 1 / 2  # below this share of the low edge nothing passes
_FALL = 4 / 3  # above this multiple of the high edge nothing passes


def to_nyquist(interval_ms: float | None) -> float:
    """What turns the edges of a band into fractions of the Nyquist frequency.

    Args:
        interval_ms: Time between two rows of the picture in ms, where edges are in Hz; None where they are fractions of
            Nyquist already.
    """
    return 1.0 if interval_ms is None else interval_ms / 500


def span_to_nyquist(span_ms: Tensor, size: int) -> Tensor:
    """What turns edges in Hz into fractions of the Nyquist frequency, for each sample.

    Args:
        span_ms: Time that the rows of each picture cover in ms, ``[B]``; NaN where there is none, which gives NaN.
        size: Rows of the pictures.
    """
    return torch.where(span_ms > 0, span_ms, torch.nan) / (500 * size)


def check_interval(step: str, interval_ms: float | None, span: str | None) -> None:
    """Raise `UsageError` unless the time between two rows is None or a positive number of ms.

    Args:
        step: Name of the step.
        interval_ms: Time between two rows of all pictures.
        span: Column with the time that each picture covers, which stands in the place of ``interval_ms``.
    """
    if interval_ms is not None and span is not None:
        raise UsageError(f"{step}: interval_ms and span", "give one of them")
    if interval_ms is not None and not 0 < interval_ms < float("inf"):
        raise UsageError(f"{step}: interval_ms={interval_ms}", "give the time between two rows in ms, such as 4")


def response(frequency: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Share of the amplitude that passes at a frequency: 1 from ``low`` to ``high``, with cosine edges beside them.

    The lower edge falls from ``low`` to 0 at low/2, the upper one from ``high`` to 0 at 4/3 · high. With ``low`` 0, all
    low frequencies pass, the mean included.

    Args:
        frequency: In any unit; broadcasts with the others.
        low: In the same unit, at least 0.
        high: In the same unit, above 0.
    """
    bottom, top = _RISE * low, _FALL * high
    rise = ((frequency - bottom) / (low - bottom).clamp(min=1e-12)).clamp(0, 1)
    rise = torch.where(frequency >= low, 1.0, rise)
    fall = ((top - frequency) / (top - high)).clamp(0, 1)
    return (1 - (torch.pi * rise).cos()) / 2 * (1 - (torch.pi * fall).cos()) / 2


def band_passed(amplitudes: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Filter each column by its cosine transform, which continues it by reflection, so that its ends don't ring.

    The transform is a product with a matrix; for the sides of patches, this takes a tenth of the time of an FFT.

    Args:
        amplitudes: float32 ``[B, C, S, S]``, 0 where there is no amplitude.
        low: Lower edge of each sample as a fraction of Nyquist, ``[B]``.
        high: Upper edge, likewise.
    """
    size = amplitudes.shape[2]
    cosines = _cosines(size, amplitudes.device)
    frequency = torch.arange(size, device=amplitudes.device, dtype=amplitudes.dtype) / size
    passes = response(frequency, *(edge.to(amplitudes.dtype)[:, None] for edge in (low, high)))
    return torch.matmul(cosines.T, torch.matmul(cosines, amplitudes).mul_(passes[:, None, :, None]))


@functools.lru_cache(maxsize=8)
def _cosines(size: int, device: torch.device) -> Tensor:
    """float32 ``[S, S]``: the orthonormal cosine transform DCT-II; row k has the frequency k/S of Nyquist."""
    number = torch.arange(size, dtype=torch.float64)
    rows: Tensor = torch.cos(torch.pi / size * number[:, None] * (number + 0.5)) * (2 / size) ** 0.5
    rows[0] *= 0.5**0.5
    return rows.to(torch.float32).to(device)


def band_passed_picture(image: NDArray[np.float32], low: float, high: float) -> NDArray[np.float64]:
    """Amplitudes of one picture ``[S, S, C]``, filtered: the same by SciPy, in float64."""
    from scipy.fft import dct, idct

    frequency = torch.arange(len(image), dtype=torch.float64) / len(image)
    edges = (torch.tensor(edge, dtype=torch.float64) for edge in (low, high))
    passes = response(frequency, *edges).numpy()[:, None, None]
    filtered = idct(dct(image.astype(np.float64) - ZERO, axis=0, norm="ortho") * passes, axis=0, norm="ortho")
    return np.asarray(filtered)
