"""Drawing from an index that proposes too many: propose, ask the rule, and settle exactly what is left."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.bound_rule import BoundRule
from ssl_domains.pairs.drawing.choice import choose
from ssl_domains.pairs.drawing.indices.protocol import MatchIndex
from ssl_domains.pairs.drawing.tally import DrawCount

__all__ = ["draw_by_rejection"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_FEW = 64  # entries that an anchor may have to be scanned whatever the others cost
_TRIES = 4  # proposals for each of the k of an anchor of few entries, before it is scanned
_ROUNDS = 64  # the same for an anchor of many
_STRIP = 2**18  # anchors, or entries, at a time: temporaries stay in cache
_SCAN = 2**26  # entries of anchors of many that are scanned in one call at most: seconds, not minutes


def draw_by_rejection(
    index: MatchIndex, rule: BoundRule, anchors: Ints, k: int, rng: np.random.Generator, count: DrawCount
) -> Ints:
    """Draw ``k`` matches of each anchor, every set of ``k`` being equally likely.

    Proposals are drawn one a round; the first ``k`` different ones that match are a uniform choice. Who has not found
    enough after the last round is settled by looking at every entry. Scans start with the cheapest anchors and stop at
    a bound on the whole work; who is left then is counted as given up.

    Args:
        index: Proposes matches.
        rule: Decides.
        anchors: Positions ``[n]``.
        k: How many each, at least 1.
        rng: Generator.
        count: Tally to add to.

    Returns:
        int64 ``[n, k]``, −1 where the anchor matches nobody or was given up with nothing.
    """
    drawn = np.full((len(anchors), k), -1, dtype=np.int64)
    sizes = index.counts(anchors)
    found = np.zeros(len(anchors), dtype=np.int64)
    asking = np.flatnonzero(sizes > min(_TRIES * k, _FEW))
    for start in range(0, len(asking), _STRIP):
        _propose(index, rule, anchors, asking[start : start + _STRIP], sizes, drawn, found, rng, count)
    unsettled = np.flatnonzero((found < k) & (sizes > 0))
    unsettled = unsettled[np.argsort(sizes[unsettled], kind="stable")]
    work = np.cumsum(sizes[unsettled])
    few = int(np.searchsorted(sizes[unsettled], _FEW, side="right"))
    affordable = int(np.searchsorted(work, _SCAN + (work[few - 1] if few else 0), side="right"))
    for rows in _strips(unsettled[:affordable], work[:affordable]):
        drawn[rows] = _scan(index, rule, anchors[rows], sizes[rows], k, rng, count)
    given_up = unsettled[affordable:]
    _repeat(drawn, found, given_up)
    count.given_up += len(given_up)
    count.without += int((drawn[:, 0] < 0).sum()) - int((found[given_up] == 0).sum())
    return drawn


def _propose(
    index: MatchIndex,
    rule: BoundRule,
    anchors: Ints,
    pending: Ints,
    sizes: Ints,
    drawn: Ints,
    found: Ints,
    rng: np.random.Generator,
    count: DrawCount,
) -> None:
    """Fill ``drawn`` and ``found`` of the pending rows, as far as the rounds get."""
    k = drawn.shape[1]
    for turn in range(_ROUNDS * k):
        if turn == _TRIES * k:
            pending = pending[sizes[pending] > _FEW]
        if not len(pending):
            return
        mine = anchors[pending]
        proposed, valid = index.entries(mine, rng.integers(0, sizes[pending]))
        count.proposed += len(pending)
        valid = _matching(index, rule, mine, proposed, valid)
        valid &= ~(drawn[pending] == proposed[:, None]).any(1)
        hit = pending[valid]
        drawn[hit, found[hit]] = proposed[valid]
        found[hit] += 1
        pending = pending[found[pending] < k]


def _scan(
    index: MatchIndex,
    rule: BoundRule,
    anchors: Ints,
    sizes: Ints,
    k: int,
    rng: np.random.Generator,
    count: DrawCount,
) -> Ints:
    """Choose among all matches, found by looking at every entry ``[n, k]``."""
    ends = np.cumsum(sizes)
    total = int(ends[-1])
    count.scanned += total
    owners, matches = [], []
    for start in range(0, total, _STRIP):
        entry = np.arange(start, min(start + _STRIP, total))
        owner = np.searchsorted(ends, entry, side="right")
        mine = anchors[owner]
        proposed, valid = index.entries(mine, entry - (ends - sizes)[owner])
        valid = _matching(index, rule, mine, proposed, valid)
        owners.append(owner[valid])
        matches.append(proposed[valid])
    having = np.bincount(np.concatenate(owners), minlength=len(anchors))
    chosen = choose(having, k, rng)
    everyone = np.append(np.concatenate(matches), -1)  # the last one is for those who match nobody
    first = np.cumsum(having) - having
    drawn: Ints = everyone[np.where(chosen < 0, -1, first[:, None] + chosen)]
    return drawn


def _matching(index: MatchIndex, rule: BoundRule, anchors: Ints, proposed: Ints, valid: Bools) -> Bools:
    valid = valid & (proposed != anchors)
    if not index.sure:
        asked = np.flatnonzero(valid)
        valid[asked] = rule.matches_pairwise(anchors[asked], proposed[asked])
    return valid


def _strips(rows: Ints, work: Ints) -> Iterator[Ints]:
    """Rows in runs of about so many entries; an anchor of more is alone."""
    cuts = np.flatnonzero(np.diff(work // _STRIP)) + 1
    return (strip for strip in np.split(rows, cuts) if len(strip))


def _repeat(drawn: Ints, found: Ints, rows: Ints) -> None:
    """Fill up what was given up with what was found, in turn; −1 stays where nothing was."""
    some = rows[found[rows] > 0]
    if len(some):
        turn = np.arange(drawn.shape[1])[None, :] % found[some, None]
        drawn[some] = np.take_along_axis(drawn[some], turn, axis=1)
