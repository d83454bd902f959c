"""The index of `within`: rows sorted by the number, so that the matches of an anchor are one run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.sorting import positions_dtype, stable_order
from ssl_domains.pairs.drawing.indices.runs import Runs, kept_in_order

__all__ = ["WindowRuns"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WindowRuns(Runs):
    """Rows sorted by code, if any, and number, with the place of each row's first and last match.

    Attributes:
        first: Place in ``order`` of each position's first match ``[size]``.
        last: One past the place of its last match; equal to ``first`` where code or number is missing.
    """

    first: NDArray[Any]
    last: NDArray[Any]

    @classmethod
    def of(cls, codes: Ints | None, values: Floats, width: float, decay: bool, sure: bool) -> WindowRuns:
        """The index of numbers within a width.

        Args:
            codes: Codes that must be equal too, int64 ``[size]``, −1 missing; None without any.
            values: float64 ``[size]``, NaN missing.
            width: At least 0.
            decay: Whether numbers exactly a width apart do not match.
            sure: Whether codes and window are the whole rule.
        """
        size = len(values)
        dtype = positions_dtype(size)
        known = np.isfinite(values)
        if codes is not None:
            known &= codes >= 0
        rows = np.flatnonzero(known)
        ranks, low, high = _window(values[rows], width, decay)
        # Code and rank are packed into one whole number; both are below the number of rows, so it fits.
        key, levels = ranks, int(ranks.max(initial=0)) + 1
        if codes is not None:
            base = codes[rows] * levels
            key, low, high = base + ranks, base + low, base + high
        ordered = stable_order(key)
        key, order = key[ordered], rows[ordered]
        first, last = np.zeros(size, dtype=dtype), np.zeros(size, dtype=dtype)
        # Searching in sorted order keeps the binary searches in cache.
        first[order] = np.searchsorted(key, low[ordered], side="left")
        last[order] = np.searchsorted(key, high[ordered], side="right")
        return cls(order.astype(dtype), None, sure, first, last)

    def bounds(self, anchors: Ints) -> tuple[Ints, Ints]:
        """See `Runs.bounds`."""
        return self.first[anchors].astype(np.int64), self.last[anchors].astype(np.int64)

    def narrowed(self, drawable: Bools) -> WindowRuns:
        """See `MatchIndex.narrowed`."""
        order, before = kept_in_order(self.order, drawable)
        return replace(self, order=order, drawable=drawable, first=before[self.first], last=before[self.last])

    @property
    def nbytes(self) -> int:
        """See `MatchIndex.nbytes`."""
        return self.order.nbytes + self.first.nbytes + self.last.nbytes


def _window(values: Floats, width: float, decay: bool) -> tuple[Ints, Ints, Ints]:
    """Rank of each value among the distinct ones, and the first and last rank that matches it.

    `searchsorted` gives bounds that are a few roundings too wide; they are narrowed by the rule's own subtraction.
    """
    distinct, inverse = np.unique(values, return_inverse=True)

    def outside(others: Ints) -> Bools:
        with np.errstate(over="ignore"):
            distance = np.abs(distinct - distinct[others])
        return (1 - distance / width <= 0) if decay else (distance > width)

    with np.errstate(over="ignore"):
        slack = 4 * np.finfo(np.float64).eps * (np.abs(distinct) + width)
        low = np.searchsorted(distinct, distinct - width - slack, side="left")
        high = np.searchsorted(distinct, distinct + width + slack, side="right") - 1
    while (far := outside(low)).any():
        low = low + far
    while (far := outside(high)).any():
        high = high - far
    ranks = inverse.reshape(-1).astype(np.int64)
    return ranks, low[ranks].astype(np.int64), high[ranks].astype(np.int64)
