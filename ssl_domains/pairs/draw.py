"""Drawing positives: an index of the table per relation, from which any number of anchors draw at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.pairs.bound_rule import BoundRule, Within
from ssl_domains.pairs.refusals import later

if TYPE_CHECKING:
    from ssl_domains.pairs.bind import BoundObjective

__all__ = ["can_draw", "draw"]

Ints = NDArray[np.int64]


def draw(
    bound: BoundObjective,
    anchors: Ints,
    k: int,
    rng: np.random.Generator,
    relation: int = 0,
    among: Ints | None = None,
) -> Ints:
    """Draw positions of other samples that match each anchor, all matches being equally likely.

    An anchor with at least ``k`` matches gets ``k`` different ones; with fewer, all of them, some repeated. The index
    is built once per relation and kept with the bound objective, unless ``among`` narrows it.

    Args:
        bound: The objective.
        anchors: Positions ``[n]``.
        k: How many each, at least 0.
        rng: Generator; the same state draws the same.
        relation: Which relation must match.
        among: Positions that may be drawn; None for all.

    Returns:
        int64 ``[n, k]``, −1 where the anchor matches nobody.

    Raises:
        UsageError: When there is no such relation, or its rule is not ``same``, ``within`` or ``same & within``.
    """
    if not 0 <= relation < len(bound.relations):
        raise UsageError(f"there is no relation {relation}", f"the objective has {len(bound.relations)}, from 0")
    rule = bound.relations[relation].rule
    if not can_draw(rule):
        later(f"drawing positives of {rule.text}", "same, within and same & within can be drawn; or compose by random")
    if among is not None:
        index = _Index.of(rule, bound.size, np.unique(np.asarray(among, dtype=np.int64)))
    elif relation in bound._drawers:
        index = bound._drawers[relation]
    else:
        index = bound._drawers[relation] = _Index.of(rule, bound.size, np.arange(bound.size, dtype=np.int64))
    return index.draw(np.asarray(anchors, dtype=np.int64), k, rng)


def can_draw(rule: BoundRule) -> bool:
    """Whether an index can be made: equal codes, at most one window of a number, and nothing else."""
    if rule.codes is None:
        return len(rule.rest) == 1 and isinstance(rule.rest[0], Within)
    return len(rule.rest) <= 1 and all(isinstance(node, Within) for node in rule.rest)


@dataclass(frozen=True)
class _Index:
    """The samples that can be drawn, sorted so that the matches of any anchor are one run of them.

    Attributes:
        order: Positions ``[m]`` by (code, number).
        place: Where each position of the table stands in ``order`` ``[size]``, −1 where it can't be drawn.
        first: First match of each position in ``order`` ``[size]``.
        last: One past its last match; equal to ``first`` without any.
    """

    order: Ints
    place: Ints
    first: Ints
    last: Ints

    @classmethod
    def of(cls, rule: BoundRule, size: int, among: Ints) -> _Index:
        window = next((node for node in rule.rest if isinstance(node, Within)), None)
        codes = np.zeros(size, dtype=np.int64) if rule.codes is None else rule.codes
        known = codes >= 0
        low = high = ranks = np.zeros(size, dtype=np.int64)
        levels = 1
        if window is not None:
            known &= np.isfinite(window.values)
            values = np.where(known, window.values, 0.0)
            ranks, low, high = _window(values, window.width)
            levels = int(ranks.max(initial=0)) + 1
        # (code, number) as one whole number; codes and levels are below the number of rows, so it fits
        key = codes * levels + ranks
        sorted_rows = np.flatnonzero(known)
        sorted_rows = sorted_rows[np.argsort(key[sorted_rows], kind="stable")]
        drawable = np.zeros(size, dtype=np.bool_)
        drawable[among] = True
        order = sorted_rows[drawable[sorted_rows]]
        keys = key[order]
        place = np.full(size, -1, dtype=np.int64)
        place[order] = np.arange(len(order))
        first, last = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        # asked in sorted order, which keeps the binary searches in cache
        first[sorted_rows] = np.searchsorted(keys, (codes * levels + low)[sorted_rows], side="left")
        last[sorted_rows] = np.searchsorted(keys, (codes * levels + high)[sorted_rows], side="right")
        return cls(order, place, first, last)

    def draw(self, anchors: Ints, k: int, rng: np.random.Generator) -> Ints:
        first, own = self.first[anchors], self.place[anchors]
        own = np.where((own >= first) & (own < self.last[anchors]), own, -1)
        matches = self.last[anchors] - first - (own >= 0)
        chosen = _choose(matches, k, rng)
        found = first[:, None] + chosen
        found += (own[:, None] >= 0) & (found >= own[:, None])  # the anchor itself is stepped over
        drawn = self.order[np.where(chosen < 0, 0, found)] if len(self.order) else found
        return np.where(chosen < 0, -1, drawn)


def _window(values: NDArray[np.float64], width: float) -> tuple[Ints, Ints, Ints]:
    """Rank of each value among the distinct ones, and the first and last rank with ``abs(x − y) <= width``.

    searchsorted only proposes, a few roundings too wide; the rule's own subtraction decides.
    """
    distinct, inverse = np.unique(values, return_inverse=True)
    slack = 4 * np.finfo(np.float64).eps * (np.abs(distinct) + width)
    low = np.searchsorted(distinct, distinct - width - slack, side="left")
    high = np.searchsorted(distinct, distinct + width + slack, side="right") - 1
    while (outside := np.abs(distinct - distinct[low]) > width).any():
        low = low + outside
    while (outside := np.abs(distinct - distinct[high]) > width).any():
        high = high - outside
    ranks = inverse.reshape(-1).astype(np.int64)
    return ranks, low[ranks], high[ranks]


def _choose(sizes: Ints, k: int, rng: np.random.Generator) -> Ints:
    """``k`` of ``range(size)`` for each size, different while there are enough; −1 where the size is 0: ``[n, k]``.

    Floyd's algorithm, one step of it for all anchors at once; those with too few take all they have in turn.
    """
    chosen = np.full((len(sizes), k), -1, dtype=np.int64)
    scarce = sizes < k
    start = rng.integers(0, np.maximum(sizes, 1))
    for t in range(k):
        top = np.where(scarce, 0, sizes - k + t)
        pick = rng.integers(0, top + 1)
        taken = (chosen[:, :t] == pick[:, None]).any(1)
        chosen[:, t] = np.where(scarce, (start + t) % np.maximum(sizes, 1), np.where(taken, top, pick))
    chosen[sizes == 0] = -1
    return chosen
