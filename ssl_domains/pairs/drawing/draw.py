"""Drawing positives: an index of the table for a rule, from which any number of anchors draw at once."""

from __future__ import annotations

import hashlib
import warnings

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.pairs.binding.bound_rule import BoundRule
from ssl_domains.pairs.binding.protocols import MatchIndex
from ssl_domains.pairs.drawing.choice import choose
from ssl_domains.pairs.drawing.choose_index import index_of
from ssl_domains.pairs.drawing.indices.runs import EmptyRun, Runs
from ssl_domains.pairs.drawing.rejection import draw_by_rejection
from ssl_domains.pairs.drawing.tally import DrawCount
from ssl_domains.quantities import plural

__all__ = ["Drawer", "draw"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_STRIP = 2**18  # anchors at a time: temporaries stay in cache


def draw(
    drawer: Drawer,
    anchors: Ints,
    k: int,
    rng: np.random.Generator,
    among: Ints | None = None,
    count: DrawCount | None = None,
) -> Ints:
    """See `BoundObjective.draw`.

    Equal codes, windows of a number and edges are drawn from their index directly. For other rules, entries of an index
    are drawn, and kept when the rule says yes.
    """
    if k < 0:
        raise UsageError(f"{k} positives can't be drawn", "draw 1 or more")
    anchors = _positions(anchors, drawer.size)
    allowed = None if among is None else _positions(among, drawer.size)
    tally = DrawCount() if count is None else count
    before = tally.given_up
    drawn = drawer.draw(anchors, k, rng, allowed, tally)
    if count is None and tally.given_up > before:
        given_up = plural(tally.given_up - before, "anchor was", "anchors were")
        message = f"drawing by {drawer.rule.text}: {given_up} given up after a long search"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    return drawn


class Drawer:
    """A rule, its index of the table, and that index narrowed to the last ``among``."""

    def __init__(self, rule: BoundRule, size: int) -> None:
        self.rule, self.size = rule, size
        self.index: MatchIndex = index_of(rule, size)
        self._narrowed: tuple[bytes, MatchIndex] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps beside the rule's own arrays."""
        return self.index.nbytes + (0 if self._narrowed is None else self._narrowed[1].nbytes)

    @property
    def has_no_match(self) -> bool:
        """Whether no pair can match before the views exist."""
        return isinstance(self.index, EmptyRun)

    def draw(self, anchors: Ints, k: int, rng: np.random.Generator, among: Ints | None, count: DrawCount) -> Ints:
        """See `draw`."""
        index = self.index if among is None else self._among(among)
        count.anchors += len(anchors)
        if k == 0:
            return np.empty((len(anchors), 0), dtype=np.int64)
        if isinstance(index, Runs) and index.sure:
            strips = [anchors[start : start + _STRIP] for start in range(0, len(anchors), _STRIP)]
            drawn = np.concatenate([np.empty((0, k), dtype=np.int64), *(_direct(index, a, k, rng) for a in strips)])
            count.without += int((drawn[:, 0] < 0).sum())
            return drawn
        return draw_by_rejection(index, self.rule, anchors, k, rng, count)

    def _among(self, among: Ints) -> MatchIndex:
        drawable: Bools = np.zeros(self.size, dtype=np.bool_)
        drawable[among] = True
        digest = hashlib.blake2b(np.packbits(drawable).tobytes()).digest()
        if self._narrowed is None or self._narrowed[0] != digest:
            self._narrowed = (digest, self.index.narrowed(drawable))
        return self._narrowed[1]


def _direct(runs: Runs, anchors: Ints, k: int, rng: np.random.Generator) -> Ints:
    """Draw from runs in which every position except the anchor itself is a match: int64 ``[n, k]``."""
    first, last = runs.bounds(anchors)
    holds = runs.holds(anchors, last - first)
    chosen = choose(last - first - holds, k, rng)
    if not len(runs.order):
        return chosen
    drawn = runs.order[np.where(chosen < 0, 0, first[:, None] + chosen)].astype(np.int64)
    # The last place of the run was left out. If the draw is the anchor itself, take that place instead: the choice
    # stays uniform.
    itself = (drawn == anchors[:, None]) & holds[:, None] & (chosen >= 0)
    drawn = np.where(itself, runs.order[np.maximum(last - 1, 0)][:, None], drawn)
    return np.where(chosen < 0, -1, drawn)


def _positions(values: Ints, size: int) -> Ints:
    positions = np.asarray(values, dtype=np.int64).reshape(-1)
    if len(positions) and not (positions.min() >= 0 and positions.max() < size):
        wrong = int(positions[(positions < 0) | (positions >= size)][0])
        raise UsageError(f"there is no position {wrong}", f"the table has {size} rows, from 0")
    return positions
