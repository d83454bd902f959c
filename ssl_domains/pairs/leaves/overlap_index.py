"""Inverted lists for rules of shared list members."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.nodes import Overlap
from ssl_domains.pairs.binding.sorting import positions_dtype, stable_order

__all__ = ["InvertedLists"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class InvertedLists:
    """Who has each member. An anchor's entries are the lists of all its members, one after another.

    Somebody who shares several members has as many entries; only the one of the first member they share counts.

    Attributes:
        node: The rule's lists.
        rows: Positions by member ``[m]``, int32 where the table allows.
        starts: Start of each member's list in ``rows`` ``[members + 1]``.
        reach: Entries before each (position, member) of ``node.members`` ``[len(members) + 1]``.
        sure: Whether an entry that counts is always a match, the anchor aside.
    """

    node: Overlap
    rows: NDArray[Any]
    starts: NDArray[Any]
    reach: Ints
    sure: bool

    @classmethod
    def of(cls, node: Overlap, sure: bool) -> InvertedLists:
        """Index the lists of a rule."""
        size = len(node.known)
        owner = np.repeat(np.arange(size, dtype=positions_dtype(size)), np.diff(node.starts))
        sizes = np.bincount(node.members, minlength=1)
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(positions_dtype(len(owner)))
        rows = owner[stable_order(node.members)]
        return cls(node, rows, starts, _reach(sizes, node.members), sure and node.at_least == 1)

    def counts(self, anchors: Ints) -> Ints:
        """See `Runs.counts`."""
        starts = self.node.starts
        return self.reach[starts[anchors + 1]] - self.reach[starts[anchors]]

    def entries(self, anchors: Ints, which: Ints) -> tuple[Ints, Bools]:
        """See `Runs.entries`."""
        first = self.node.starts[anchors]
        place = self.reach[first] + which
        slot = np.searchsorted(self.reach, place, side="right") - 1
        found = self.rows[self.starts[self.node.members[slot]] + (place - self.reach[slot])].astype(np.int64)
        return found, ~self._share_any(first, slot, found)

    def narrowed(self, drawable: Bools) -> InvertedLists:
        """See `Runs.narrowed`."""
        kept = drawable[self.rows]
        starts = np.concatenate([[0], np.cumsum(kept)]).astype(self.starts.dtype)[self.starts]
        reach = _reach(np.diff(starts), self.node.members)
        return replace(self, rows=self.rows[kept], starts=starts, reach=reach)

    @property
    def nbytes(self) -> int:
        """Bytes it keeps beside the rule's own arrays."""
        return self.rows.nbytes + self.starts.nbytes + self.reach.nbytes

    def _share_any(self, first: Ints, last: Ints, others: Ints) -> Bools:
        """Whether any of the members ``first … last`` (places in ``node.members``) is one of the other's ``[n]``.

        All pairs walk along both ascending lists together, one step a turn.
        """
        starts, members = self.node.starts, self.node.members
        mine, theirs, end = first.copy(), starts[others], starts[others + 1]
        shared = np.zeros(len(others), dtype=np.bool_)
        walking = np.flatnonzero((mine < last) & (theirs < end))
        while len(walking):
            a, b = members[mine[walking]], members[theirs[walking]]
            shared[walking] = a == b
            mine[walking] += a < b
            theirs[walking] += b < a
            on = (a != b) & (mine[walking] < last[walking]) & (theirs[walking] < end[walking])
            walking = walking[on]
        return shared


def _reach(sizes: NDArray[Any], members: Ints) -> Ints:
    reach = np.zeros(len(members) + 1, dtype=np.int64)
    np.cumsum(sizes[members], out=reach[1:])
    return reach
