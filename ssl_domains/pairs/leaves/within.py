"""`within`, bound: numbers of a column, or numbers that views emit, at most a width apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.binder import Binder
from ssl_domains.pairs.binding.leaf import BatchValues, BoundLeaf
from ssl_domains.pairs.binding.nodes import answer_for
from ssl_domains.pairs.binding.protocols import RowRule
from ssl_domains.pairs.binding.reason import Reason, ShownValues, missing_text, number, pair_text
from ssl_domains.pairs.leaves.within_index import WindowRuns
from ssl_domains.pairs.leaves.within_rows import near
from ssl_domains.pairs.rules import within as rules

__all__ = ["EmittedWithin", "Within", "bind"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Within(BoundLeaf):
    """``abs(x_i − x_j) <= width``.

    Attributes:
        values: float64 ``[size]``, NaN where missing.
        width: At least 0, inclusive.
        decay: Whether a match weighs ``1 − abs(x_i − x_j) / width``, in float64; only weights above 0 match.
        column: Name of the column, for reasons.
    """

    values: Floats
    width: float
    decay: bool = False
    column: str = ""

    joins_codes = True

    @property
    def graded(self) -> bool:
        """Whether the weight of a match falls with the distance."""
        return self.decay

    def answer(self, yes: bool, i: Ints, j: Ints) -> Bools:
        """See `BoundLeaf.answer`."""
        distance = self._distance(i, j)
        if self.decay:
            weight = 1 - distance / self.width  # NaN where unknown
            return weight > 0 if yes else weight <= 0
        answer: Bools = distance <= self.width if yes else distance > self.width
        return answer

    def weights(self, i: Ints, j: Ints) -> Floats:
        """See `BoundLeaf.weights`."""
        if not self.decay:
            return super().weights(i, j)
        return np.nan_to_num(np.maximum(1 - self._distance(i, j) / self.width, 0.0), nan=0.0)

    def explain(self, i: int, j: int, shown: ShownValues) -> Reason:
        """See `BoundLeaf.explain`."""
        answer = answer_for(self, i, j)
        if answer == "unknown":
            return Reason(answer, missing_text(shown, self.column, i, j))
        width = number(self.width)
        verdict = f"within {width}" if answer == "yes" else f"not within {width}"
        if self.decay and answer == "no":
            verdict = f"weighs nothing from {width} on"
        if shown.coded(self.column):
            return Reason(answer, f"{self.column} {verdict}")
        distance = abs(float(self.values[i]) - float(self.values[j]))
        days = " days" if shown.is_time(self.column) else ""
        values = pair_text(shown, self.column, i, j)
        return Reason(answer, f"{self.column} {values}: {number(distance)}{days} apart, {verdict}")

    def on_rows(self, rows: BatchValues) -> RowRule:
        """See `BoundLeaf.on_rows`."""
        return near(rows, rows.numbers(self.values), self.width, self.decay)

    def index(self, codes: Ints | None, sure: bool) -> WindowRuns:
        """See `BoundLeaf.index`."""
        return WindowRuns.of(codes, self.values, self.width, self.decay, sure)

    def _distance(self, i: Ints, j: Ints) -> Floats:
        with np.errstate(invalid="ignore", over="ignore"):  # inf − inf is NaN, hence unknown
            return np.abs(self.values[i] - self.values[j])


@dataclass(frozen=True, eq=False)
class EmittedWithin(BoundLeaf):
    """`Within` over numbers that views emit; unknown until the views exist.

    Attributes:
        name: Name of the emitted number.
        width: As in `Within`.
        decay: As in `Within`.
    """

    name: str
    width: float
    decay: bool = False

    reads_emitted = True

    @property
    def graded(self) -> bool:
        """Whether the weight of a match falls with the distance."""
        return self.decay

    def answer(self, yes: bool, i: Ints, j: Ints) -> Bools:
        """See `BoundLeaf.answer`."""
        return np.zeros(np.broadcast_shapes(i.shape, j.shape), dtype=np.bool_)

    def explain(self, i: int, j: int, shown: ShownValues) -> Reason:
        """See `BoundLeaf.explain`."""
        return Reason("unknown", f"{self.name} is known only once the views are made")

    def on_rows(self, rows: BatchValues) -> RowRule:
        """See `BoundLeaf.on_rows`."""
        return near(rows, rows.emitted(self.name), self.width, self.decay)


def bind(rule: rules.Within, binder: Binder) -> BoundLeaf:
    """Bind a `within` rule."""
    if rule.column in binder.emitted:
        return EmittedWithin(rule.column, rule.width, rule.graded)
    return Within(binder.numbers(rule.column), rule.width, rule.graded, rule.column)
