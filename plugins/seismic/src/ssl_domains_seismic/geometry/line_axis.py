"""Line numbers as an axis: first number, step and count, with the few numbers that don't fit left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LineAxis", "distinct", "line_axis"]

_FAR = 20  # gaps of so many usual gaps separate outliers from the lines
_FEW = 0.01  # most outliers, as a share of the traces
_SPARSE = 3  # an axis with more than so many places for each line number is no axis


@dataclass(frozen=True)
class LineAxis:
    """Line numbers ``first, first + step, …``.

    Attributes:
        first: Smallest number.
        step: Distance of neighbouring numbers, at least 1.
        count: How many numbers.
    """

    first: int
    step: int
    count: int

    @property
    def last(self) -> int:
        """Largest number."""
        return self.first + self.step * (self.count - 1)

    def numbers(self) -> NDArray[np.int64]:
        """All numbers, int64 ``[count]``."""
        return self.first + self.step * np.arange(self.count, dtype=np.int64)

    def places(self, values: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        """Place of each value on the axis, int64 ``[n]``; and which values lie on it, None when all do."""
        offsets = values.astype(np.int64) - self.first
        places, rest = (offsets, None) if self.step == 1 else np.divmod(offsets, self.step)
        inside = (places >= 0) & (places < self.count)
        if rest is not None:
            inside &= rest == 0
        return places, None if inside.all() else inside


def distinct(values: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct values in order, and how often each occurs."""
    low, high = int(values.min()), int(values.max())
    if high - low < max(4 * len(values), 1 << 16):
        counts = np.bincount(values.astype(np.int64) - low)
        found = np.flatnonzero(counts)
        return found + low, counts[found]
    unique, counts = np.unique(values, return_counts=True)
    return unique.astype(np.int64), counts.astype(np.int64)


def line_axis(values: NDArray[np.int32]) -> LineAxis | None:
    """The axis of line numbers; None when they lie too far apart to be lines.

    A few numbers that are far from the others (a 0 or 999,999 in bad headers), or between the steps of all others, are
    not on the axis.
    """
    numbers, counts = distinct(values)
    gaps = np.diff(numbers)
    if len(gaps) == 0:
        return LineAxis(int(numbers[0]), 1, 1)
    usual = int(np.median(gaps))
    parts = np.concatenate([[0], np.cumsum(gaps > _FAR * usual)])
    traces = np.bincount(parts, weights=counts)
    largest = int(traces.argmax())
    if traces[largest] >= (1 - _FEW) * len(values):
        kept = parts == largest
        numbers, counts = numbers[kept], counts[kept]
        gaps = np.diff(numbers)
    if len(gaps) == 0:
        return LineAxis(int(numbers[0]), 1, 1)
    step = int(np.gcd.reduce(gaps))
    widths, times = np.unique(gaps, return_counts=True)
    commonest = int(widths[times.argmax()])
    if commonest > step:
        phases, of = np.unique((numbers - numbers[0]) % commonest, return_inverse=True)
        weights = np.bincount(of, weights=counts, minlength=len(phases))
        if weights.max() >= (1 - _FEW) * counts.sum():
            numbers, step = numbers[of == weights.argmax()], commonest
    count = int((numbers[-1] - numbers[0]) // step) + 1
    if count > _SPARSE * len(numbers) + 10:
        return None
    return LineAxis(int(numbers[0]), step, count)
