"""Draw a signal as lines: the default thumbnail of arrays ``[t]`` and ``[t, c]``."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["trace_picture"]

_PAPER, _LINE = 255, 40
_LANE = 24  # least height in pixels of the lane of a channel; of more channels than fit, some are drawn


def trace_picture(array: NDArray[Any], width: int, height: int) -> NDArray[np.uint8]:
    """Dark lines on white, one below the other for each channel; it shows no name and no number.

    A column of pixels shows the range of the values that fall into it, so that no peak is lost. All channels have the
    same scale, which is that of the recording: the picture shows the form of a signal, not its unit.

    Args:
        array: ``[t]`` or ``[t, c]``, in any unit; places that are not finite stay white. Of many channels, some at
            equal distances are drawn.
        width: Width in pixels.
        height: Height in pixels.

    Returns:
        uint8 ``[height, width, 1]``.
    """
    signal = array[:, None] if array.ndim == 1 else array
    lanes = min(signal.shape[1], max(1, height // _LANE))
    chosen = np.linspace(0, signal.shape[1] - 1, lanes).round().astype(int)
    signal = signal[:, chosen].astype(np.float64)
    picture = np.full((height, width, 1), _PAPER, dtype=np.uint8)
    known = np.isfinite(signal)
    if not known.any():
        return picture
    middle = np.nanmedian(np.where(known, signal, np.nan), axis=0)
    signal = signal - np.nan_to_num(middle)
    half = float(np.abs(signal[known]).max()) or 1.0
    edges = np.linspace(0, len(signal), width + 1).round().astype(int)
    borders = np.linspace(0, height, lanes + 1)
    for channel, (top, bottom) in enumerate(itertools.pairwise(borders)):
        centre, reach = (top + bottom - 1) / 2, max(0.0, (bottom - top - 1) / 2)
        for column in range(width):
            # The place before the first one joins neighbouring columns to one line.
            start, stop = max(0, edges[column] - 1), max(edges[column] + 1, edges[column + 1])
            values = signal[start:stop, channel]
            values = values[np.isfinite(values)]
            if len(values):
                high, low = (round(centre - reach * value / half) for value in (values.max(), values.min()))
                picture[max(0, high) : low + 1, column] = _LINE
    return picture
