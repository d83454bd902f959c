"""Drawing by rejection: take random entries of an index, and keep those that the rule says yes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.bound_rule import BoundRule
from ssl_domains.pairs.binding.protocols import MatchIndex
from ssl_domains.pairs.drawing.choice import choose
from ssl_domains.pairs.drawing.tally import DrawCount

__all__ = ["Allowed", "draw_by_rejection"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Allowed: TypeAlias = Callable[[Ints, Ints], Bools]
"""Given numbers of anchors ``[m]`` and a proposed position for each ``[m]``: which of these may be drawn."""

_FEW = 64  # an anchor of at most so many entries is always scanned
_TRIES = 4  # rounds for each of the k positives of such an anchor, before it is scanned
_ROUNDS = 64  # rounds for each of the k positives of an anchor of more entries
_STRIP = 2**18  # anchors, or entries, at a time: temporaries stay in cache
_SCAN = 2**26  # limit on the scanned entries of anchors of more entries, in one call: seconds, not minutes


def draw_by_rejection(
    index: MatchIndex,
    rule: BoundRule,
    anchors: Ints,
    k: int,
    rng: np.random.Generator,
    count: DrawCount,
    allowed: Allowed | None = None,
    rounds: int = _ROUNDS,
) -> Ints:
    """Draw ``k`` matches of each anchor, every set of ``k`` being equally likely.

    Each round draws one entry for every anchor that needs more. The first ``k`` different entries that match are a
    uniform choice. For anchors that still need more after the last round, every entry is checked. These scans start
    with the anchors of fewest entries and stop at a limit on the total work; the remaining anchors are given up.

    Args:
        index: Lists the entries of an anchor.
        rule: Says which entries match.
        anchors: Positions ``[n]``.
        k: How many each, at least 1.
        rng: Generator.
        count: Tally to add to.
        allowed: A further condition on anchors and entries; None for none.
        rounds: Rounds for each of the k positives of an anchor of many entries.

    Returns:
        int64 ``[n, k]``, −1 where the anchor has no match, or was given up with none drawn.
    """
    drawing = _Drawing(index, rule, anchors, rng, count, allowed, rounds)
    drawn = np.full((len(anchors), k), -1, dtype=np.int64)
    sizes = index.counts(anchors)
    matched = np.zeros(len(anchors), dtype=np.int64)
    many = np.flatnonzero(sizes > min(_TRIES * k, _FEW))
    for start in range(0, len(many), _STRIP):
        _propose(drawing, many[start : start + _STRIP], sizes, drawn, matched)
    unsettled = np.flatnonzero((matched < k) & (sizes > 0))
    unsettled = unsettled[np.argsort(sizes[unsettled], kind="stable")]
    work = np.cumsum(sizes[unsettled])
    few = int(np.searchsorted(sizes[unsettled], _FEW, side="right"))
    affordable = int(np.searchsorted(work, _SCAN + (work[few - 1] if few else 0), side="right"))
    for rows in _strips(unsettled[:affordable], work[:affordable]):
        drawn[rows] = _scan(drawing, rows, sizes[rows], k)
    given_up = unsettled[affordable:]
    _repeat(drawn, matched, given_up)
    count.given_up += len(given_up)
    count.without += int((drawn[:, 0] < 0).sum()) - int((matched[given_up] == 0).sum())
    return drawn


@dataclass(frozen=True, eq=False)
class _Drawing:
    """The arguments of one draw; an anchor is named by its number, its place in ``anchors``."""

    index: MatchIndex
    rule: BoundRule
    anchors: Ints
    rng: np.random.Generator
    count: DrawCount
    allowed: Allowed | None
    rounds: int

    def matching(self, numbers: Ints, proposed: Ints, valid: Bools) -> Bools:
        """Which valid entries match: another row than the anchor, yes by the rule, and allowed."""
        anchors = self.anchors[numbers]
        valid = valid & (proposed != anchors)
        if not self.index.sure:
            unsure = np.flatnonzero(valid)
            valid[unsure] = self.rule.matches_pairwise(anchors[unsure], proposed[unsure])
        if self.allowed is not None:
            left = np.flatnonzero(valid)
            valid[left] = self.allowed(numbers[left], proposed[left])
        return valid


def _propose(drawing: _Drawing, pending: Ints, sizes: Ints, drawn: Ints, matched: Ints) -> None:
    """Draw random entries for the pending anchors, and write matches to ``drawn`` and their number to ``matched``."""
    k = drawn.shape[1]
    for turn in range(drawing.rounds * k):
        if turn == _TRIES * k:
            pending = pending[sizes[pending] > _FEW]
        if not len(pending):
            return
        anchors = drawing.anchors[pending]
        proposed, valid = drawing.index.entries(anchors, drawing.rng.integers(0, sizes[pending]))
        drawing.count.proposed += len(pending)
        valid = drawing.matching(pending, proposed, valid)
        valid &= ~(drawn[pending] == proposed[:, None]).any(1)
        hit = pending[valid]
        drawn[hit, matched[hit]] = proposed[valid]
        matched[hit] += 1
        pending = pending[matched[pending] < k]


def _scan(drawing: _Drawing, numbers: Ints, sizes: Ints, k: int) -> Ints:
    """Check every entry of some anchors, and choose among all matches: int64 ``[n, k]``."""
    ends = np.cumsum(sizes)
    total = int(ends[-1])
    drawing.count.scanned += total
    owners, matches = [], []
    for start in range(0, total, _STRIP):
        entry = np.arange(start, min(start + _STRIP, total))
        owner = np.searchsorted(ends, entry, side="right")
        proposed, valid = drawing.index.entries(drawing.anchors[numbers[owner]], entry - (ends - sizes)[owner])
        valid = drawing.matching(numbers[owner], proposed, valid)
        owners.append(owner[valid])
        matches.append(proposed[valid])
    having = np.bincount(np.concatenate(owners), minlength=len(numbers))
    chosen = choose(having, k, drawing.rng)
    # The −1 at the end keeps the index of an anchor without a match valid.
    padded = np.append(np.concatenate(matches), -1)
    first = np.cumsum(having) - having
    drawn: Ints = padded[np.where(chosen < 0, -1, first[:, None] + chosen)]
    return drawn


def _strips(rows: Ints, work: Ints) -> Iterator[Ints]:
    """Rows in strips of about `_STRIP` entries; an anchor with more is a strip of its own."""
    cuts = np.flatnonzero(np.diff(work // _STRIP)) + 1
    return (strip for strip in np.split(rows, cuts) if len(strip))


def _repeat(drawn: Ints, matched: Ints, rows: Ints) -> None:
    """Repeat the matches of anchors that were given up until there are k; −1 stays where there is none."""
    some = rows[matched[rows] > 0]
    if len(some):
        turn = np.arange(drawn.shape[1])[None, :] % matched[some, None]
        drawn[some] = np.take_along_axis(drawn[some], turn, axis=1)
