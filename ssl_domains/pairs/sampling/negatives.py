"""Negative seats: rows drawn for a slot that are neither positives of its seed and partner nor ignored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.pairs.binding.bound_rule import BoundRule
from ssl_domains.pairs.binding.protocols import MatchIndex
from ssl_domains.pairs.binding.sorting import stable_order
from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.drawing.indices.runs import WholeTableRun
from ssl_domains.pairs.drawing.rejection import Allowed, draw_by_rejection
from ssl_domains.pairs.drawing.tally import DrawCount

__all__ = ["NegativeCount", "NegativeDraw"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_STRIP = 2**14  # slots at a time: temporaries stay in cache
_ROUNDS = 4096  # random rows that are tried for each negative, before a seed's whole table is searched


@dataclass
class NegativeCount:
    """Where the rows of negative seats came from.

    Attributes:
        seats: Negative seats.
        by_rule: Those drawn by the rule ``negatives``.
        by_warmup: Those drawn by the rule ``warmup``.
        random: Those filled with random rows.
        repeated: Seats with a row that an earlier seat of the slot has too, because there are too few others.
        given_up: Slots for which the search by the rule ended early, because their matches are too rare.
    """

    seats: int = 0
    by_rule: int = 0
    by_warmup: int = 0
    random: int = 0
    repeated: int = 0
    given_up: int = 0

    def share(self, seats: int) -> float:
        """A number of seats as a share of all negative seats."""
        return seats / max(1, self.seats)


@dataclass(frozen=True, eq=False)
class NegativeDraw:
    """Draws the negative seats of slots.

    A row is drawn only if no relation of the objective says *yes* to it, and its ignore rule doesn't either, for each
    anchor of the slot (seed and partner), and if it is none of these samples. *Unknown* doesn't exclude a row, as the
    loss treats such a row as a negative; numbers that views emit count as unknown.

    Attributes:
        bound: The objective.
        rule: The rule that draws: ``negatives``, or ``warmup`` in its place.
        index: Its index of the rows that may be negatives.
        warming: Whether the rule is ``warmup``.
        rows: Positions that may be drawn at random.
        n: Negative seats of a slot.
    """

    bound: BoundObjective
    rule: BoundRule
    index: MatchIndex
    warming: bool
    rows: NDArray[Any]
    n: int

    def __call__(self, anchors: Ints, rng: np.random.Generator, count: NegativeCount) -> Ints:
        """Draw.

        Args:
            anchors: Positions ``[A, n]``, the samples of the A anchor seats of each slot, seeds first.
            rng: Generator.
            count: Tally to add to.

        Returns:
            int64 ``[k, n]``.

        Raises:
            DataError: When a slot has no possible negative.
        """
        # In the order of the seeds, so that their codes and edges are read from memory one after another.
        order = stable_order(anchors[0])
        drawn = np.empty((self.n, len(order)), np.int64)
        for start in range(0, len(order), _STRIP):
            slots = order[start : start + _STRIP]
            drawn[:, slots] = self._strip(anchors[:, slots], rng, count).T
        return drawn

    def _strip(self, anchors: Ints, rng: np.random.Generator, count: NegativeCount) -> Ints:
        """Negatives of some slots, int64 ``[n, k]``."""
        tally = DrawCount()
        seeds = anchors[0]
        drawn = draw_by_rejection(self.index, self.rule, seeds, self.n, rng, tally, self._allowed(anchors))
        drawn[_repeats(drawn)] = -1  # a seed with fewer candidates has them repeated
        by_rule = int((drawn >= 0).sum())
        short = np.flatnonzero((drawn < 0).any(1))
        if len(short):
            drawn[short] = self._filled(anchors[:, short], drawn[short], rng)
        count.seats += drawn.size
        count.by_warmup += by_rule if self.warming else 0
        count.by_rule += 0 if self.warming else by_rule
        repeated = int(_repeats(drawn).sum())
        count.repeated += repeated
        count.random += drawn.size - by_rule - repeated
        count.given_up += tally.given_up
        return drawn

    def _filled(self, anchors: Ints, drawn: Ints, rng: np.random.Generator) -> Ints:
        """Random rows in place of the −1 in ``drawn``; rows of the same slot again where there are no others."""
        whole = WholeTableRun(self.rows, None, True)
        allowed = self._allowed(anchors, drawn)
        # More than `n` may be drawn for a slot; they are different, so any of them serve.
        extra = draw_by_rejection(whole, self.rule, anchors[0], self.n, rng, DrawCount(), allowed, _ROUNDS)
        extra[_repeats(extra)] = -1
        pool = np.concatenate([drawn, extra], axis=1)
        known = np.argsort(pool < 0, axis=1, kind="stable")  # the rows of a slot first, then the −1
        pool = np.take_along_axis(pool, known, axis=1)
        having = (pool >= 0).sum(1)
        if (having == 0).any():
            none = int((having == 0).sum())
            raise DataError(
                f"{none:,} seeds have no possible negative: (nearly) every row is a positive of them, or ignored",
                "narrow the rule, leave such rows out, or compose without negatives",
            )
        turn = np.arange(self.n)[None, :] % having[:, None]
        return np.take_along_axis(pool, turn, axis=1)

    def _allowed(self, anchors: Ints, taken: Ints | None = None) -> Allowed:
        rules = [relation.rule for relation in self.bound.relations]
        rules += [] if self.bound.ignored is None else [self.bound.ignored]

        def allowed(slots: Ints, proposed: Ints) -> Bools:
            kept = np.ones(len(slots), np.bool_) if taken is None else ~(taken[slots] == proposed[:, None]).any(1)
            for seat in anchors:
                anchor = seat[slots]
                kept &= proposed != anchor
                for rule in rules:
                    kept &= ~rule.matches_pairwise(anchor, proposed)
            return kept

        return allowed


def _repeats(rows: Ints) -> Bools:
    """Which entries are in their line ``[k]`` before already; −1 is no entry."""
    repeated = np.zeros(rows.shape, np.bool_)
    for place in range(1, rows.shape[1]):
        repeated[:, place] = (rows[:, :place] == rows[:, place, None]).any(1)
    return repeated & (rows >= 0)
