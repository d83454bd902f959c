"""The index of a window of a number: rows sorted by it, so that everybody's matches are one run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.nodes import Within
from ssl_domains.pairs.binding.sorting import positions_dtype, stable_order
from ssl_domains.pairs.drawing.indices.runs import Runs, kept_in_order

__all__ = ["WindowRuns"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class WindowRuns(Runs):
    """A window of a number, perhaps within equal codes: the rows sorted by both, and each row's first and last match.

    Attributes:
        first: First match of each position in ``order`` ``[size]``.
        last: One past its last match; equal to ``first`` where code or number is missing.
    """

    first: NDArray[Any]
    last: NDArray[Any]

    @classmethod
    def of(cls, codes: Ints | None, window: Within, sure: bool) -> WindowRuns:
        """Index a window, within equal codes where there are any."""
        size = len(window.values)
        dtype = positions_dtype(size)
        known = np.isfinite(window.values)
        if codes is not None:
            known &= codes >= 0
        rows = np.flatnonzero(known)
        ranks, low, high = _window(window.values[rows], window)
        # (code, number) as one whole number: codes and levels are below the number of rows, so it fits.
        key, levels = ranks, int(ranks.max(initial=0)) + 1
        if codes is not None:
            base = codes[rows] * levels
            key, low, high = base + ranks, base + low, base + high
        ordered = stable_order(key)
        key, order = key[ordered], rows[ordered]
        first, last = np.zeros(size, dtype=dtype), np.zeros(size, dtype=dtype)
        # Asked in sorted order, which keeps the binary searches in cache.
        first[order] = np.searchsorted(key, low[ordered], side="left")
        last[order] = np.searchsorted(key, high[ordered], side="right")
        return cls(order.astype(dtype), None, sure, first, last)

    def bounds(self, anchors: Ints) -> tuple[Ints, Ints]:
        """See `Runs.bounds`."""
        return self.first[anchors].astype(np.int64), self.last[anchors].astype(np.int64)

    def narrowed(self, drawable: Bools) -> WindowRuns:
        """See `Runs.narrowed`."""
        order, before = kept_in_order(self.order, drawable)
        return replace(self, order=order, drawable=drawable, first=before[self.first], last=before[self.last])

    @property
    def nbytes(self) -> int:
        """See `Runs.nbytes`."""
        return self.order.nbytes + self.first.nbytes + self.last.nbytes


def _window(values: NDArray[np.float64], window: Within) -> tuple[Ints, Ints, Ints]:
    """Rank of each value among the distinct ones, and the first and last rank that matches it.

    searchsorted only proposes, a few roundings too wide; the rule's own arithmetic decides.
    """
    distinct, inverse = np.unique(values, return_inverse=True)
    width = window.width

    def outside(others: Ints) -> Bools:
        with np.errstate(over="ignore"):
            distance = np.abs(distinct - distinct[others])
        return (1 - distance / width <= 0) if window.decay else (distance > width)

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
