"""`linked`, bound: rows joined by an edge."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.binder import Binder
from ssl_domains.pairs.binding.csr import is_outer, runs
from ssl_domains.pairs.binding.edges import Adjacency, read_adjacency
from ssl_domains.pairs.binding.leaf import BatchValues, BoundLeaf
from ssl_domains.pairs.binding.nodes import answer_for
from ssl_domains.pairs.binding.protocols import RowRule
from ssl_domains.pairs.binding.reason import Reason, ShownValues, missing_text, number
from ssl_domains.pairs.drawing.indices.runs import Runs, kept_in_order
from ssl_domains.pairs.leaves.linked_rows import joined_samples
from ssl_domains.pairs.rules import linked as rules
from ssl_domains.pairs.rules.keys import SAMPLE

__all__ = ["EdgeRuns", "Linked", "bind"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Linked(BoundLeaf):
    """Rows joined by an edge.

    Attributes:
        edges: The edges between positions of the table.
        graded: Whether a match weighs the grade of its edge.
        key: Name of the key column, for reasons.
    """

    edges: Adjacency
    graded: bool = False
    key: str = SAMPLE

    searches = True

    def answer(self, yes: bool, i: Ints, j: Ints) -> Bools:
        """See `BoundLeaf.answer`."""
        joined = self.weights(i, j) > 0
        return joined if yes else ~joined & self.edges.known[i] & self.edges.known[j]

    def weights(self, i: Ints, j: Ints) -> Floats:
        """The grade of the edge between two positions, 0 without one."""
        return self._all_pairs(i[:, 0], j[0]) if is_outer(i, j) else self._pairwise(*np.broadcast_arrays(i, j))

    def explain(self, i: int, j: int, shown: ShownValues) -> Reason:
        """See `BoundLeaf.explain`."""
        answer = answer_for(self, i, j)
        if answer == "unknown":
            return Reason(answer, missing_text(shown, self.key, i, j))
        if answer == "no":
            return Reason(answer, "not linked")
        grade = float(self.weights(np.array([i]), np.array([j]))[0])
        return Reason(answer, f"linked, grade {number(grade)}" if self.graded else "linked")

    def on_rows(self, rows: BatchValues) -> RowRule:
        """See `BoundLeaf.on_rows`."""
        return joined_samples(self.edges, rows.anchors, rows.candidates, self.graded)

    def index(self, codes: Ints | None, sure: bool) -> EdgeRuns:
        """See `BoundLeaf.index`."""
        return EdgeRuns.of(self.edges, sure and codes is None)

    def _all_pairs(self, i: Ints, j: Ints) -> Floats:
        """Grades of n with m positions ``[n, m]``, by spreading the edges of ``i`` over the columns."""
        starts, neighbours, grades = self.edges.starts, self.edges.neighbours, self.edges.grades
        columns, column = np.unique(j, return_inverse=True)
        sizes = starts[i + 1] - starts[i]
        edge = runs(starts[i], sizes)
        place = np.searchsorted(columns, neighbours[edge])
        kept = np.append(columns, -1)[place] == neighbours[edge]
        spread = np.zeros((len(i), len(columns)))
        spread[np.repeat(np.arange(len(i)), sizes)[kept], place[kept]] = grades[edge[kept]]
        return spread[:, column.reshape(-1)]

    def _pairwise(self, i: Ints, j: Ints) -> Floats:
        """Grades of position ``i`` with ``j``, by a binary search among the neighbours of ``i``, all pairs at once."""
        neighbours, grades = self.edges.neighbours, self.edges.grades
        if not len(neighbours):
            return np.zeros(i.shape)
        low, high = self.edges.starts[i], self.edges.starts[i + 1]
        end = high
        while (unsettled := low < high).any():
            middle = (low + high) // 2
            below = unsettled & (neighbours[np.where(unsettled, middle, 0)] < j)
            low, high = np.where(below, middle + 1, low), np.where(unsettled & ~below, middle, high)
        place = np.minimum(low, len(neighbours) - 1)
        return np.where((low < end) & (neighbours[place] == j), grades[place], 0.0)


@dataclass(frozen=True, eq=False)
class EdgeRuns(Runs):
    """The index of `linked`: the run of an anchor are its neighbours in the adjacency; nothing is copied.

    Attributes:
        starts: Start of each position's neighbours ``[size + 1]``.
    """

    starts: Ints

    @classmethod
    def of(cls, edges: Adjacency, sure: bool) -> EdgeRuns:
        """The index of an adjacency."""
        return cls(edges.neighbours, None, sure, edges.starts)

    def bounds(self, anchors: Ints) -> tuple[Ints, Ints]:
        """See `Runs.bounds`."""
        return self.starts[anchors], self.starts[anchors + 1]

    def holds(self, anchors: Ints, counts: Ints) -> Bools:
        """See `Runs.holds`."""
        return np.zeros(len(anchors), dtype=np.bool_)  # no position is its own neighbour

    def narrowed(self, drawable: Bools) -> EdgeRuns:
        """See `MatchIndex.narrowed`."""
        order, before = kept_in_order(self.order, drawable)
        return replace(self, order=order, drawable=drawable, starts=before[self.starts].astype(np.int64))

    @property
    def nbytes(self) -> int:
        """See `MatchIndex.nbytes`."""
        return 0 if self.drawable is None else self.order.nbytes + self.starts.nbytes


def bind(rule: rules.Linked, binder: Binder) -> BoundLeaf:
    """Bind a `linked` rule; equal rules share one leaf, so that a file is read once."""
    binder.require_column(rule.key, "linked(key=) takes a column of the table")
    return binder.cached(
        rule,
        lambda: Linked(read_adjacency(rule, binder.table, binder.edges.get(rule.file)), rule.graded, rule.key),
    )
