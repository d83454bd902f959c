"""How many samples of the whole table match a sample: read from an index where it knows, else by asking the rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.bound_rule import BoundRule
from ssl_domains.pairs.drawing.indices.protocol import MatchIndex
from ssl_domains.pairs.drawing.indices.runs import Runs

__all__ = ["count_matches", "sampled_matches"]

Ints = NDArray[np.int64]

_PROPOSALS = 2**21  # pairs that an index proposes and a rule is asked about, in all
_LEAST = 64  # anchors that are looked at however many they are proposed


def count_matches(rule: BoundRule, index: MatchIndex, anchors: Ints) -> Ints:
    """Other samples that match each anchor.

    Args:
        rule: Over the table.
        index: Of the rule, see `ssl_domains.pairs.drawing.choose_index.index_of`.
        anchors: Positions ``[n]``.

    Returns:
        int64 ``[n]``.
    """
    counts = index.counts(anchors)
    if isinstance(index, Runs) and index.sure:
        sure: Ints = counts - index.holds(anchors, counts)
        return sure
    found = np.zeros(len(anchors), dtype=np.int64)
    ends = np.cumsum(counts)
    start = 0
    while start < len(anchors):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _PROPOSALS, side="right")))
        own = counts[start:stop]
        place = np.repeat(np.arange(start, stop), own)
        which = np.arange(len(place)) - np.repeat(np.cumsum(own) - own, own)
        others, valid = index.entries(anchors[place], which)
        matched = valid & (others != anchors[place]) & rule.matches_pairwise(anchors[place], others)
        found[start:stop] = np.bincount(place[matched] - start, minlength=stop - start)
        start = stop
    return found


def sampled_matches(rule: BoundRule, index: MatchIndex, size: int) -> tuple[Ints, bool]:
    """Other samples that match each of all rows, or of some that stand for them where all would take long.

    Returns:
        int64 ``[rows looked at]``, and whether these are all.
    """
    everyone = np.arange(size, dtype=np.int64)
    if isinstance(index, Runs) and index.sure:
        return count_matches(rule, index, everyone), True
    proposed = index.counts(everyone)
    total = int(proposed.sum())
    if total <= _PROPOSALS:
        return count_matches(rule, index, everyone), True
    some = min(size, max(_LEAST, size * _PROPOSALS // total))
    # Evenly over the rows by how many are proposed, so that few rows stand for the lonely and the crowded alike.
    order = np.argsort(proposed, kind="stable")
    rows = order[((np.arange(some) + 0.5) * size / some).astype(np.int64)]
    return count_matches(rule, index, rows), some == size
