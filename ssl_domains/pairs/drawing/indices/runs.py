"""Indices in which the entries of a position are one run of a sorted array of positions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.sorting import positions_dtype, stable_order

__all__ = ["CodeRuns", "EmptyRun", "Runs", "WholeTableRun", "kept_in_order", "places"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Runs(ABC):
    """A sorted array of positions, in which every anchor has one run; a subclass says which.

    Attributes:
        order: Positions ``[m]``, int32 where the table allows.
        drawable: bool ``[size]``, the positions that ``order`` may contain; None for all.
        sure: Whether every position of a run is a match, except the anchor itself.
    """

    order: NDArray[Any]
    drawable: Bools | None
    sure: bool

    @abstractmethod
    def bounds(self, anchors: Ints) -> tuple[Ints, Ints]:
        """Where each anchor's run starts in ``order``, and one past its end ``[n]``."""

    def counts(self, anchors: Ints) -> Ints:
        """See `MatchIndex.counts`."""
        first, last = self.bounds(anchors)
        return last - first

    def entries(self, anchors: Ints, which: Ints) -> tuple[Ints, Bools]:
        """See `MatchIndex.entries`; all are valid."""
        others = self.order[self.bounds(anchors)[0] + which].astype(np.int64)
        return others, np.ones(len(others), dtype=np.bool_)

    def holds(self, anchors: Ints, counts: Ints) -> Bools:
        """Whether an anchor is in its own run ``[n]``, given the length of that run."""
        known = counts > 0
        return known if self.drawable is None else known & self.drawable[anchors]

    @abstractmethod
    def narrowed(self, drawable: Bools) -> Self:
        """See `MatchIndex.narrowed`."""

    @property
    def nbytes(self) -> int:
        """See `MatchIndex.nbytes`."""
        return self.order.nbytes


@dataclass(frozen=True, eq=False)
class CodeRuns(Runs):
    """Positions sorted by code; the run of an anchor has the anchor's code.

    Attributes:
        codes: The rule's, int64 ``[size]``, −1 missing.
        starts: Start of each code ``[groups + 1]``.
    """

    codes: Ints
    starts: NDArray[Any]

    @classmethod
    def of(cls, codes: Ints, sure: bool) -> CodeRuns:
        """Index non-negative codes."""
        dtype = positions_dtype(len(codes))
        if codes.min(initial=0) >= 0:
            order, sizes = stable_order(codes), np.bincount(codes)
        else:
            known = np.flatnonzero(codes >= 0)
            order, sizes = known[stable_order(codes[known])], np.bincount(codes[known])
        return cls(order.astype(dtype), None, sure, codes, places(sizes, dtype))

    def bounds(self, anchors: Ints) -> tuple[Ints, Ints]:
        """See `Runs.bounds`."""
        codes = self.codes[anchors]
        if len(self.starts) == 1:  # every code is missing
            return np.zeros_like(codes), np.zeros_like(codes)
        known = np.maximum(codes, 0)
        first = self.starts[known].astype(np.int64)
        return first, np.where(codes < 0, first, self.starts[known + 1])

    def narrowed(self, drawable: Bools) -> CodeRuns:
        """See `MatchIndex.narrowed`."""
        order, before = kept_in_order(self.order, drawable)
        return replace(self, order=order, drawable=drawable, starts=before[self.starts])

    @property
    def nbytes(self) -> int:
        """See `MatchIndex.nbytes`."""
        return self.order.nbytes + self.starts.nbytes


@dataclass(frozen=True, eq=False)
class WholeTableRun(Runs):
    """The whole table as the run of every anchor, for rules without a better index."""

    @classmethod
    def of(cls, size: int) -> WholeTableRun:
        """The index of a table of ``size`` rows."""
        return cls(np.arange(size, dtype=positions_dtype(size)), None, False)

    def bounds(self, anchors: Ints) -> tuple[Ints, Ints]:
        """See `Runs.bounds`."""
        return np.zeros(len(anchors), dtype=np.int64), np.full(len(anchors), len(self.order), dtype=np.int64)

    def narrowed(self, drawable: Bools) -> Self:
        """See `MatchIndex.narrowed`."""
        return replace(self, order=kept_in_order(self.order, drawable)[0], drawable=drawable)


@dataclass(frozen=True, eq=False)
class EmptyRun(WholeTableRun):
    """An empty run for every anchor, for rules that can't match before the views exist."""

    @classmethod
    def of(cls, size: int = 0) -> EmptyRun:
        """The index without entries."""
        return cls(np.empty(0, dtype=np.int32), None, True)


def places(sizes: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """The sum of ``sizes`` before each place ``[n + 1]``: ``places([2, 3])`` is ``[0, 2, 5]``."""
    starts = np.zeros(len(sizes) + 1, dtype=dtype)
    np.cumsum(sizes, out=starts[1:])
    return starts


def kept_in_order(order: NDArray[Any], drawable: Bools) -> tuple[NDArray[Any], NDArray[Any]]:
    """The drawable positions of ``order``, and how many of them stand before each place of it ``[m + 1]``."""
    kept = drawable[order]
    return order[kept], places(kept, order.dtype)
