"""The index of `overlap`: inverted lists, which give the rows that have a member."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.lists import MemberLists
from ssl_domains.pairs.binding.sorting import positions_dtype, stable_order

__all__ = ["InvertedLists"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class InvertedLists:
    """The rows that have each member. The entries of an anchor are the rows of all its members, one after another.

    A row that has several members in common with the anchor has as many entries; only the entry of the first common
    member is valid.

    Attributes:
        lists: The lists of the table.
        rows: Positions sorted by member ``[m]``, int32 where the table allows.
        starts: Start of each member's rows in ``rows`` ``[members + 1]``.
        reach: Number of entries before each (position, member) of ``lists.members`` ``[len(lists.members) + 1]``.
        sure: Whether every valid entry is a match, except the anchor itself.
    """

    lists: MemberLists
    rows: NDArray[Any]
    starts: NDArray[Any]
    reach: Ints
    sure: bool

    @classmethod
    def of(cls, lists: MemberLists, sure: bool) -> InvertedLists:
        """The index of the lists; ``sure`` when one common member is the whole rule."""
        size = len(lists.known)
        owner = np.repeat(np.arange(size, dtype=positions_dtype(size)), np.diff(lists.starts))
        sizes = np.bincount(lists.members, minlength=1)
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(positions_dtype(len(owner)))
        rows = owner[stable_order(lists.members)]
        return cls(lists, rows, starts, _reach(sizes, lists.members), sure)

    def counts(self, anchors: Ints) -> Ints:
        """See `MatchIndex.counts`."""
        starts = self.lists.starts
        return self.reach[starts[anchors + 1]] - self.reach[starts[anchors]]

    def entries(self, anchors: Ints, which: Ints) -> tuple[Ints, Bools]:
        """See `MatchIndex.entries`."""
        first = self.lists.starts[anchors]
        place = self.reach[first] + which
        slot = np.searchsorted(self.reach, place, side="right") - 1
        others = self.rows[self.starts[self.lists.members[slot]] + (place - self.reach[slot])].astype(np.int64)
        return others, ~self._share_any(first, slot, others)

    def narrowed(self, drawable: Bools) -> InvertedLists:
        """See `MatchIndex.narrowed`."""
        kept = drawable[self.rows]
        starts = np.concatenate([[0], np.cumsum(kept)]).astype(self.starts.dtype)[self.starts]
        reach = _reach(np.diff(starts), self.lists.members)
        return replace(self, rows=self.rows[kept], starts=starts, reach=reach)

    @property
    def nbytes(self) -> int:
        """See `MatchIndex.nbytes`."""
        return self.rows.nbytes + self.starts.nbytes + self.reach.nbytes

    def _share_any(self, first: Ints, last: Ints, others: Ints) -> Bools:
        """Whether any of the members at ``first … last − 1`` of ``lists.members`` is in the other's list ``[n]``.

        Each turn of the loop takes one step of a merge of two ascending lists, for all pairs at once.
        """
        starts, members = self.lists.starts, self.lists.members
        left, right, end = first.copy(), starts[others], starts[others + 1]
        shared = np.zeros(len(others), dtype=np.bool_)
        unsettled = np.flatnonzero((left < last) & (right < end))
        while len(unsettled):
            a, b = members[left[unsettled]], members[right[unsettled]]
            shared[unsettled] = a == b
            left[unsettled] += a < b
            right[unsettled] += b < a
            further = (a != b) & (left[unsettled] < last[unsettled]) & (right[unsettled] < end[unsettled])
            unsettled = unsettled[further]
        return shared


def _reach(sizes: NDArray[Any], members: Ints) -> Ints:
    reach = np.zeros(len(members) + 1, dtype=np.int64)
    np.cumsum(sizes[members], out=reach[1:])
    return reach
