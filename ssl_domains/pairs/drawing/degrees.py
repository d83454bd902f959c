"""How many samples of the whole table match a sample: read from a sure index, else counted by the rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.bound_rule import BoundRule
from ssl_domains.pairs.binding.protocols import MatchIndex
from ssl_domains.pairs.drawing.indices.runs import Runs

__all__ = ["count_matches", "sampled_matches"]

Ints = NDArray[np.int64]

_PROPOSALS = 2**21  # entries of an index that the rule checks, in all
_LEAST = 64  # anchors that are always counted, whatever their entries


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
    matches = np.zeros(len(anchors), dtype=np.int64)
    ends = np.cumsum(counts)
    start = 0
    while start < len(anchors):
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _PROPOSALS, side="right")))
        sizes = counts[start:stop]
        place = np.repeat(np.arange(start, stop), sizes)
        which = np.arange(len(place)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        others, valid = index.entries(anchors[place], which)
        matched = valid & (others != anchors[place]) & rule.matches_pairwise(anchors[place], others)
        matches[start:stop] = np.bincount(place[matched] - start, minlength=stop - start)
        start = stop
    return matches


def sampled_matches(rule: BoundRule, index: MatchIndex, size: int) -> tuple[Ints, bool]:
    """Other samples that match each row; counted for a subset of the rows where all would take too long.

    Returns:
        int64 ``[rows counted]``, and whether these are all rows.
    """
    rows = np.arange(size, dtype=np.int64)
    if isinstance(index, Runs) and index.sure:
        return count_matches(rule, index, rows), True
    proposed = index.counts(rows)
    total = int(proposed.sum())
    if total <= _PROPOSALS:
        return count_matches(rule, index, rows), True
    some = min(size, max(_LEAST, size * _PROPOSALS // total))
    # Sorted by number of entries and taken at even steps, so that rows with few and with many matches are counted.
    order = np.argsort(proposed, kind="stable")
    subset = order[((np.arange(some) + 0.5) * size / some).astype(np.int64)]
    return count_matches(rule, index, subset), some == size
