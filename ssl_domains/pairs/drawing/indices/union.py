"""The union of several indices: what ``|`` draws from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.evaluate import node_answer
from ssl_domains.pairs.binding.nodes import Node
from ssl_domains.pairs.drawing.indices.protocol import MatchIndex

__all__ = ["Union"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Union:
    """The entries of every branch, one branch after another.

    Who matches several branches has entries in all of them; only those of the first branch that says yes count.

    Attributes:
        branches: The index of each branch.
        terms: The branch itself, and whether its yes or its no is asked for.
        sure: Whether the branches are the whole rule, so that an entry that counts is a match, the anchor aside.
    """

    branches: tuple[MatchIndex, ...]
    terms: tuple[tuple[Node, bool], ...]
    sure: bool

    def counts(self, anchors: Ints) -> Ints:
        """See `Runs.counts`."""
        counts = np.zeros(len(anchors), dtype=np.int64)
        for branch in self.branches:
            counts += branch.counts(anchors)
        return counts

    def entries(self, anchors: Ints, which: Ints) -> tuple[Ints, Bools]:
        """See `Runs.entries`."""
        found, valid = np.empty_like(anchors), np.empty(len(anchors), dtype=np.bool_)
        before = np.zeros_like(anchors)
        for place, branch in enumerate(self.branches):
            counts = branch.counts(anchors)
            mine = np.flatnonzero((which >= before) & (which < before + counts))
            found[mine], valid[mine] = branch.entries(anchors[mine], which[mine] - before[mine])
            self._keep_own(place, anchors, mine, found, valid)
            before += counts
        return found, valid

    def narrowed(self, drawable: Bools) -> Union:
        """See `Runs.narrowed`."""
        return replace(self, branches=tuple(branch.narrowed(drawable) for branch in self.branches))

    @property
    def nbytes(self) -> int:
        """Bytes it keeps beside the rule's own arrays."""
        return sum(branch.nbytes for branch in self.branches)

    def _keep_own(self, place: int, anchors: Ints, mine: Ints, found: Ints, valid: Bools) -> None:
        """Of a branch's entries, only matches of the branch count, and those of an earlier branch don't."""
        for earlier in range(place + 1):
            own = earlier == place
            if own and self.branches[place].sure:
                continue
            asked = mine[valid[mine]]
            node, yes = self.terms[earlier]
            valid[asked] = node_answer(node, yes, anchors[asked], found[asked]) == own
