"""Values and ranges of stored samples, from which windows are fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.stores import SampleArrays

__all__ = ["VALUES", "Window", "observed_range", "sampled_values", "type_window", "window_between"]

Window = tuple[float, float]
VALUES = 2_000_000  # about how many values a percentile is computed from, for each group or survey

_DECLARED: dict[str, Window] = {"uint8": (0.0, 255.0), "bool": (0.0, 1.0)}


def sampled_values(samples: SampleArrays, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], int]:
    """About `VALUES` of the finite values of samples, holes left out, and the number of all values."""
    total = int(samples.shapes(rows).prod(axis=1).sum())
    stride = max(1, -(-total // VALUES))
    positions = samples.positions
    kept = []
    for row in rows.tolist():
        # With one start for all samples, a stride that shares a factor with the width would take a few columns only.
        start = int(positions[row] + (row if samples.regions else 0)) % stride
        array, valid = samples.read(row)
        values = array.reshape(-1)[start::stride].astype(np.float64)
        usable = np.isfinite(values)
        if valid is not None:
            usable &= np.broadcast_to(valid, array.shape).reshape(-1)[start::stride]
        kept.append(values[usable])
    return (np.concatenate(kept) if kept else np.empty(0)), total


def type_window(dtype: np.dtype[Any]) -> Window | None:
    """The window that a type declares: 0 to 255 for uint8, 0 to 1 for bool; None for types that declare none.

    A wider integer type says nothing about its values: 12-bit pictures are commonly stored in 16 or 32 bits.
    """
    return _DECLARED.get(dtype.name)


def window_between(low: float, high: float) -> Window:
    """The window from ``low`` to ``high``; of a single value, from it to the value 1 above it.

    Above 2⁵³ float64 holds no value 1 above; then the next value that it holds is the end. Values that differ by less
    than the smallest normal float64 count as one.
    """
    if high - low >= np.finfo(np.float64).tiny:
        return low, high
    return low, low + max(1.0, float(np.spacing(abs(low))))


def observed_range(samples: SampleArrays, rows: Sequence[int] | NDArray[np.int64]) -> tuple[Window, int]:
    """The least and the greatest finite value of samples, all values read once, and the number of finite values.

    Samples of one value have the window of `window_between`; those without a finite value the window 0 to 1.
    """
    low, high, count = np.inf, -np.inf, 0
    for row in np.asarray(rows, dtype=np.int64).tolist():
        array, valid = samples.read(row)
        values = array if valid is None else array[np.broadcast_to(valid, array.shape)]
        if values.dtype.kind == "f":
            values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
            count += values.size
    if count == 0:
        return (0.0, 1.0), 0
    return window_between(low, high), count
