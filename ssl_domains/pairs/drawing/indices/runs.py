"""Indices in which the matches of any position are one run of an order: codes, edges, everyone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.nodes import Linked
from ssl_domains.pairs.binding.sorting import positions_dtype, stable_order

__all__ = ["CodeRuns", "EdgeRuns", "EveryoneRun", "NobodyRun", "Runs", "kept_in_order", "places"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Runs(ABC):
    """Runs of an order of positions; a subclass says which run is whose.

    Attributes:
        order: Positions ``[m]``, int32 where the table allows.
        drawable: bool ``[size]``, who stands in ``order``; None for everyone the index knows.
        sure: Whether everybody of a run but the anchor is a match.
    """

    order: NDArray[Any]
    drawable: Bools | None
    sure: bool

    @abstractmethod
    def bounds(self, anchors: Ints) -> tuple[Ints, Ints]:
        """First and one past the last place of each anchor's run ``[n]``."""

    def counts(self, anchors: Ints) -> Ints:
        """Entries of each anchor ``[n]``, the anchor itself perhaps among them."""
        first, last = self.bounds(anchors)
        return last - first

    def entries(self, anchors: Ints, which: Ints) -> tuple[Ints, Bools]:
        """The ``which``-th entry of each anchor ``[n]``, and whether it stands for a match that has no other entry."""
        found = self.order[self.bounds(anchors)[0] + which].astype(np.int64)
        return found, np.ones(len(found), dtype=np.bool_)

    def holds(self, anchors: Ints, counts: Ints) -> Bools:
        """Whether an anchor stands in its own run ``[n]``."""
        known = counts > 0
        return known if self.drawable is None else known & self.drawable[anchors]

    @abstractmethod
    def narrowed(self, drawable: Bools) -> Self:
        """The same runs without those who may not be drawn; nothing is sorted again."""

    @property
    def nbytes(self) -> int:
        """Bytes it keeps beside the rule's own arrays."""
        return self.order.nbytes


@dataclass(frozen=True, eq=False)
class CodeRuns(Runs):
    """Equal codes: the rows sorted by code, and where each code starts.

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
        if len(self.starts) == 1:  # nobody has a code
            return np.zeros_like(codes), np.zeros_like(codes)
        known = np.maximum(codes, 0)
        first = self.starts[known].astype(np.int64)
        return first, np.where(codes < 0, first, self.starts[known + 1])

    def narrowed(self, drawable: Bools) -> CodeRuns:
        """See `Runs.narrowed`."""
        order, before = kept_in_order(self.order, drawable)
        return replace(self, order=order, drawable=drawable, starts=before[self.starts])

    @property
    def nbytes(self) -> int:
        """See `Runs.nbytes`."""
        return self.order.nbytes + self.starts.nbytes


@dataclass(frozen=True, eq=False)
class EdgeRuns(Runs):
    """Edges: each row's neighbours, as the rule keeps them.

    Attributes:
        starts: Start of each position's neighbours ``[size + 1]``.
    """

    starts: Ints

    @classmethod
    def of(cls, edges: Linked, sure: bool) -> EdgeRuns:
        """Use the adjacency of a rule; nothing is copied."""
        return cls(edges.neighbours, None, sure, edges.starts)

    def bounds(self, anchors: Ints) -> tuple[Ints, Ints]:
        """See `Runs.bounds`."""
        return self.starts[anchors], self.starts[anchors + 1]

    def holds(self, anchors: Ints, counts: Ints) -> Bools:
        """See `Runs.holds`."""
        return np.zeros(len(anchors), dtype=np.bool_)  # no row is its own neighbour

    def narrowed(self, drawable: Bools) -> EdgeRuns:
        """See `Runs.narrowed`."""
        order, before = kept_in_order(self.order, drawable)
        return replace(self, order=order, drawable=drawable, starts=before[self.starts].astype(np.int64))

    @property
    def nbytes(self) -> int:
        """See `Runs.nbytes`."""
        return 0 if self.drawable is None else self.order.nbytes + self.starts.nbytes


@dataclass(frozen=True, eq=False)
class EveryoneRun(Runs):
    """The whole table as the run of every position: for rules that no index narrows."""

    @classmethod
    def of(cls, size: int) -> EveryoneRun:
        """Everybody is an entry of everybody, and seldom for sure a match."""
        return cls(np.arange(size, dtype=positions_dtype(size)), None, False)

    def bounds(self, anchors: Ints) -> tuple[Ints, Ints]:
        """See `Runs.bounds`."""
        return np.zeros(len(anchors), dtype=np.int64), np.full(len(anchors), len(self.order), dtype=np.int64)

    def narrowed(self, drawable: Bools) -> Self:
        """See `Runs.narrowed`."""
        return replace(self, order=kept_in_order(self.order, drawable)[0], drawable=drawable)


@dataclass(frozen=True, eq=False)
class NobodyRun(EveryoneRun):
    """Empty runs: for rules that can't match before the views are made."""

    @classmethod
    def of(cls, size: int = 0) -> NobodyRun:
        """Nobody is an entry of anybody."""
        return cls(np.empty(0, dtype=np.int32), None, True)


def places(sizes: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """How much stands before each place ``[n + 1]``."""
    starts = np.zeros(len(sizes) + 1, dtype=dtype)
    np.cumsum(sizes, out=starts[1:])
    return starts


def kept_in_order(order: NDArray[Any], drawable: Bools) -> tuple[NDArray[Any], NDArray[Any]]:
    """Who of an order may be drawn, and how many of them stand before each place ``[m + 1]``."""
    kept = drawable[order]
    return order[kept], places(kept, order.dtype)
