"""`overlap`, bound: lists with at least so many members in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.binder import Binder
from ssl_domains.pairs.binding.csr import is_outer, runs
from ssl_domains.pairs.binding.leaf import BatchValues, BoundLeaf
from ssl_domains.pairs.binding.lists import MemberLists, list_members
from ssl_domains.pairs.binding.nodes import answer_for
from ssl_domains.pairs.binding.protocols import RowRule
from ssl_domains.pairs.binding.reason import Reason, ShownValues, missing_text
from ssl_domains.pairs.leaves.overlap_index import InvertedLists
from ssl_domains.pairs.leaves.overlap_rows import shared_members
from ssl_domains.pairs.rules import overlap as rules

__all__ = ["Overlap", "bind"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_NAMED = 4  # common members that a reason names


@dataclass(frozen=True, eq=False)
class Overlap(BoundLeaf):
    """Lists with at least so many members in common.

    Attributes:
        lists: The lists.
        at_least: How many, at least 1.
        jaccard: Whether a match weighs the members in both lists over the members in either, instead of 1.
        column: Name of the column, for reasons.
    """

    lists: MemberLists
    at_least: int
    jaccard: bool
    column: str = ""

    searches = True

    @property
    def graded(self) -> bool:
        """Whether a match weighs the share of common members."""
        return self.jaccard

    def answer(self, yes: bool, i: Ints, j: Ints) -> Bools:
        """See `BoundLeaf.answer`."""
        shared, known = self._shared(i, j), self.lists.known
        answer: Bools = shared >= self.at_least if yes else (shared < self.at_least) & known[i] & known[j]
        return answer

    def weights(self, i: Ints, j: Ints) -> Floats:
        """See `BoundLeaf.weights`."""
        if not self.jaccard:
            return super().weights(i, j)
        shared = self._shared(i, j)
        sizes = np.diff(self.lists.starts)
        union = sizes[i] + sizes[j] - shared
        return np.where(shared >= self.at_least, shared / np.maximum(union, 1), 0.0)

    def explain(self, i: int, j: int, shown: ShownValues) -> Reason:
        """See `BoundLeaf.explain`."""
        answer, column = answer_for(self, i, j), self.column
        if answer == "unknown":
            return Reason(answer, missing_text(shown, column, i, j))
        others = shown.members(column, j)
        names = [shown.member(column, member) for member in shown.members(column, i) if member in others]
        named = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
        if answer == "yes":
            return Reason(answer, f"shares {column} {named}")
        if self.at_least == 1 or not names:
            needed = "" if self.at_least == 1 else f", {self.at_least} needed"
            return Reason(answer, f"no {column} shared{needed}")
        return Reason(answer, f"shares only {len(names)} of {self.at_least} {column} ({named})")

    def on_rows(self, rows: BatchValues) -> RowRule:
        """See `BoundLeaf.on_rows`."""
        return shared_members(self.lists, rows.anchors, rows.candidates, self.at_least, self.jaccard)

    def index(self, codes: Ints | None, sure: bool) -> InvertedLists:
        """See `BoundLeaf.index`."""
        return InvertedLists.of(self.lists, sure and codes is None and self.at_least == 1)

    def _shared(self, i: Ints, j: Ints) -> Ints:
        """How many members two positions have in common."""
        if is_outer(i, j):
            counts = (self._matrix(i[:, 0]) @ self._matrix(j[0]).T).toarray()
            return np.asarray(counts, dtype=np.int64)
        i, j = np.broadcast_arrays(i, j)
        both = self._matrix(i.reshape(-1)).multiply(self._matrix(j.reshape(-1)))
        return np.asarray(both.sum(axis=1), dtype=np.int64).reshape(i.shape)

    def _matrix(self, positions: Ints) -> Any:
        """The lists of some positions as a sparse 0/1 matrix ``[n, members]``."""
        from scipy.sparse import csr_array  # only this leaf needs scipy.sparse

        first = self.lists.starts[positions]
        sizes = self.lists.starts[positions + 1] - first
        starts = np.concatenate([[0], np.cumsum(sizes)])
        members = self.lists.members[runs(first, sizes)]
        width = int(self.lists.members.max(initial=0)) + 1
        return csr_array((np.ones(len(members), dtype=np.int64), members, starts), shape=(len(positions), width))


def bind(rule: rules.Overlap, binder: Binder) -> BoundLeaf:
    """Bind an `overlap` rule."""
    binder.require_column(rule.column, "overlap() takes a column of lists")
    lists = binder.cached(("lists", rule.column), lambda: list_members(binder.table, rule.column))
    return Overlap(lists, rule.at_least, rule.graded, rule.column)
