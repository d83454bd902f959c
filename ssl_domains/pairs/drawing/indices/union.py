"""The union of several indices, from which ``|`` draws."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.nodes import Node
from ssl_domains.pairs.binding.protocols import MatchIndex

__all__ = ["Union"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Union:
    """The entries of every branch of a disjunction, one branch after another.

    A position that matches several branches has an entry in each of them. Only the entry of the first such branch is
    valid, so that every match counts once.

    Attributes:
        branches: The index of each branch.
        terms: The node of each branch, and whether its yes or its no makes the match.
        sure: Whether the branches are the whole rule, so that every valid entry is a match, except the anchor itself.
    """

    branches: tuple[MatchIndex, ...]
    terms: tuple[tuple[Node, bool], ...]
    sure: bool

    def counts(self, anchors: Ints) -> Ints:
        """See `MatchIndex.counts`."""
        counts = np.zeros(len(anchors), dtype=np.int64)
        for branch in self.branches:
            counts += branch.counts(anchors)
        return counts

    def entries(self, anchors: Ints, which: Ints) -> tuple[Ints, Bools]:
        """See `MatchIndex.entries`."""
        others, valid = np.empty_like(anchors), np.empty(len(anchors), dtype=np.bool_)
        before = np.zeros_like(anchors)
        for place, branch in enumerate(self.branches):
            counts = branch.counts(anchors)
            here = np.flatnonzero((which >= before) & (which < before + counts))
            others[here], valid[here] = branch.entries(anchors[here], which[here] - before[here])
            self._invalidate_repeats(place, anchors, here, others, valid)
            before += counts
        return others, valid

    def narrowed(self, drawable: Bools) -> Union:
        """See `MatchIndex.narrowed`."""
        return replace(self, branches=tuple(branch.narrowed(drawable) for branch in self.branches))

    @property
    def nbytes(self) -> int:
        """See `MatchIndex.nbytes`."""
        return sum(branch.nbytes for branch in self.branches)

    def _invalidate_repeats(self, place: int, anchors: Ints, here: Ints, others: Ints, valid: Bools) -> None:
        """Among the entries ``here`` of one branch, keep valid what the branch matches and no earlier branch does."""
        for earlier in range(place + 1):
            this_branch = earlier == place
            if this_branch and self.branches[place].sure:
                continue
            unsure = here[valid[here]]
            node, yes = self.terms[earlier]
            valid[unsure] = node.answer(yes, anchors[unsure], others[unsure]) == this_branch
