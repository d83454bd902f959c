"""Why two samples are a positive pair, ignored or negative: which leaf of the rule says so, and with which values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from ssl_domains.pairs.binding import nodes as bound
from ssl_domains.pairs.binding.binder import BoundObjective
from ssl_domains.pairs.binding.evaluate import node_answer, node_weights
from ssl_domains.pairs.inspection.shown import ShownValues, number
from ssl_domains.pairs.rules.algebra import AcrossParts, And, Not, Or, Rule, Same, Within
from ssl_domains.pairs.rules.keys import SAMPLE, Bins, Key
from ssl_domains.pairs.rules.linked import Linked
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.pairs.rules.overlap import Overlap
from ssl_domains.samples import SampleTable

__all__ = ["PairReasons", "PairState", "Reason"]

Answer = Literal["yes", "no", "unknown"]

_SHOWN = 4  # shared members of a list that are named


@dataclass(frozen=True)
class Reason:
    """What a rule answers for two samples, and the facts that decide it.

    Attributes:
        answer: Of the rule.
        text: The facts, such as ``same volume A, position_mm 12 and 14.5: 2.5 apart, within 4``.
    """

    answer: Answer
    text: str


@dataclass(frozen=True)
class PairState:
    """What two different samples are to each other in the loss.

    Attributes:
        state: ``"positive"`` when any relation says yes, else ``"ignored"`` when the ignore rule does, else
            ``"negative"``.
        text: Why.
        weights: w of each relation, 0 where it doesn't match.
    """

    state: Literal["positive", "ignored", "negative"]
    text: str
    weights: tuple[float, ...]


class PairReasons:
    """The reasons of one objective over one table.

    Args:
        objective: The rules, as given.
        bound: The same, bound to ``table``.
        table: The rows.
        coded: Columns whose values are printed as letters; see `coded_columns`.
    """

    def __init__(
        self, objective: Objective, bound: BoundObjective, table: SampleTable, coded: Collection[str] = ()
    ) -> None:
        self.values = ShownValues(table, coded)
        self._objective, self._bound, self._table = objective, bound, table

    def state(self, i: int, j: int) -> PairState:
        """What sample ``j`` is to the anchor ``i``, both positions of the table, and why."""
        relations = self._objective.relations
        weights = tuple(self._weight(r, i, j) for r in range(len(relations)))
        reasons = [self.relation(r, i, j) for r in range(len(relations))]
        ignored = self.ignored(i, j)
        if any(weights):
            texts = [_weighed(reason.text, weight) for reason, weight in zip(reasons, weights, strict=True) if weight]
            return PairState("positive", " · ".join(dict.fromkeys(texts)), weights)
        if ignored is not None and ignored.answer == "yes":
            causes = [self.relation(r, i, j, agreed=False).text for r in range(len(relations))]
            against = " · ".join(dict.fromkeys(causes))
            return PairState("ignored", f"ignored: {ignored.text}" + (f"; {against}" if against else ""), weights)
        if not reasons:
            return PairState("negative", "no relation: only own views are positives", weights)
        against = " · ".join(dict.fromkeys(reason.text for reason in reasons))
        if len({reason.answer for reason in reasons}) == 1:
            return PairState("negative", f"{reasons[0].answer}: {against}", weights)
        each = " · ".join(dict.fromkeys(f"{reason.answer}: {reason.text}" for reason in reasons))
        return PairState("negative", each, weights)

    def relation(self, relation: int, i: int, j: int, *, agreed: bool = True) -> Reason:
        """What one relation says of two samples, and why; with ``agreed``, a no also names what they do share."""
        compiled = self._bound.relations[relation].rule
        return self._explain(_inner(self._objective.relations[relation].rule), compiled.node, i, j, outermost=agreed)

    def ignored(self, i: int, j: int) -> Reason | None:
        """What the ignore rule says of two samples; None without one."""
        if self._objective.ignored is None or self._bound.ignored is None:
            return None
        return self._explain(_inner(self._objective.ignored), self._bound.ignored.node, i, j)

    def _weight(self, relation: int, i: int, j: int) -> float:
        rule = self._bound.relations[relation].rule
        return float(rule.weights_pairwise(np.array([i]), np.array([j]))[0])

    def _explain(self, rule: Rule, node: bound.Node, i: int, j: int, *, outermost: bool = True) -> Reason:
        match rule, node:
            case Not(term=term), bound.Not(term=inner):
                found = self._explain(term, inner, i, j, outermost=False)
                swapped: dict[Answer, Answer] = {"yes": "no", "no": "yes", "unknown": "unknown"}
                return Reason(swapped[found.answer], found.text)
            case ((And(terms=terms) | Or(terms=terms)), (bound.And(terms=inners) | bound.Or(terms=inners))):
                parts = [self._explain(t, n, i, j, outermost=False) for t, n in zip(terms, inners, strict=True)]
                return _joined(isinstance(rule, And), parts, outermost)
            case Same(keys=keys), bound.And(terms=inners):
                parts = [self._key(key, inner, i, j) for key, inner in zip(keys, inners, strict=True)]
                return _joined(True, parts, outermost)
            case Same(keys=(key,)), _:
                return self._key(key, node, i, j)
            case Within(column=column), _:
                return self._near(column, node, i, j)
            case Overlap(column=column), bound.Overlap():
                return self._shared(column, node, i, j)
            case Linked(key=key), bound.Linked():
                return self._linked(key, node, i, j)
        return Reason(_answer(node, i, j), str(rule))

    def _key(self, key: Key, node: bound.Node, i: int, j: int) -> Reason:
        column = key.column if isinstance(key, Bins) else key
        if not isinstance(node, bound.Same):
            return Reason("unknown", f"{column} is known only once the views are made")
        answer = _answer(node, i, j)
        if isinstance(key, Bins):
            return Reason(answer, self._bins(key, node, answer, i, j))
        if answer == "unknown":
            return Reason(answer, self._missing(column, i, j))
        if column == SAMPLE:
            return Reason(answer, "same sample" if answer == "yes" else "another sample")
        mine, other = self.values.text(column, i), self.values.text(column, j)
        return Reason(answer, f"same {column} {mine}" if answer == "yes" else f"other {column} ({mine}, {other})")

    def _bins(self, key: Bins, node: bound.Same, answer: Answer, i: int, j: int) -> str:
        if answer == "unknown":
            lost = [name for name in (key.column, key.per) if name and self._any_missing(name, i, j)]
            return "; ".join(self._missing(name, i, j) for name in lost) or f"{key.column} unknown"
        mine, other = int(node.codes[i]) + 1, int(node.codes[j]) + 1
        per = f" of its {key.per}" if key.per is not None else ""
        read = "" if self.values.coded(key.column) else f" {self._pair_of(key.column, i, j)}"
        if answer == "yes":
            return f"{key.column}{read}: same bin {mine} of {key.n}{per}"
        return f"{key.column}{read}: bins {mine} and {other} of {key.n}{per}"

    def _near(self, column: str, node: bound.Node, i: int, j: int) -> Reason:
        if not isinstance(node, bound.Within):
            return Reason("unknown", f"{column} is known only once the views are made")
        answer = _answer(node, i, j)
        if answer == "unknown":
            return Reason(answer, self._missing(column, i, j))
        width = number(node.width)
        verdict = f"within {width}" if answer == "yes" else f"not within {width}"
        if node.decay and answer == "no":
            verdict = f"weighs nothing from {width} on"
        if self.values.coded(column):
            return Reason(answer, f"{column} {verdict}")
        distance = abs(float(node.values[i]) - float(node.values[j]))
        days = " days" if self._table.column(column).dtype.is_temporal() else ""
        text = f"{column} {self._pair_of(column, i, j)}: {number(distance)}{days} apart, {verdict}"
        return Reason(answer, text)

    def _shared(self, column: str, node: bound.Overlap, i: int, j: int) -> Reason:
        answer = _answer(node, i, j)
        if answer == "unknown":
            return Reason(answer, self._missing(column, i, j))
        lists = [self._members(column, row) for row in (i, j)]
        common = [member for member in lists[0] if member in lists[1]]
        names = [self.values.member(column, member) for member in common]
        named = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        if answer == "yes":
            return Reason(answer, f"shares {column} {named}")
        if node.at_least == 1 or not common:
            needed = "" if node.at_least == 1 else f", {node.at_least} needed"
            return Reason(answer, f"no {column} shared{needed}")
        return Reason(answer, f"shares only {len(common)} of {node.at_least} {column} ({named})")

    def _linked(self, key: str, node: bound.Linked, i: int, j: int) -> Reason:
        answer = _answer(node, i, j)
        if answer == "unknown":
            return Reason(answer, self._missing(key, i, j))
        if answer == "no":
            return Reason(answer, "not linked")
        grade = float(node_weights(node, np.array([i]), np.array([j]))[0])
        return Reason(answer, f"linked, grade {number(grade)}" if node.graded else "linked")

    def _pair_of(self, column: str, i: int, j: int) -> str:
        return f"{self.values.text(column, i)} and {self.values.text(column, j)}"

    def _any_missing(self, column: str, i: int, j: int) -> bool:
        return self.values.missing(column, i) or self.values.missing(column, j)

    def _missing(self, column: str, i: int, j: int) -> str:
        lost = self.values.missing(column, i), self.values.missing(column, j)
        where = {(True, True): "missing in both", (True, False): "missing in the anchor", (False, True): "missing here"}
        return f"{column} unknown ({where.get(lost, 'no finite difference')})"

    def _members(self, column: str, row: int) -> list[object]:
        value = self._table.column(column)[row]
        return value.drop_nulls().unique(maintain_order=True).to_list() if isinstance(value, pl.Series) else []


def _answer(node: bound.Node, i: int, j: int) -> Answer:
    a, b = np.array([i]), np.array([j])
    if node_answer(node, True, a, b)[0]:
        return "yes"
    # A graded node has no "no" to ask for; it is never under ~, so only whether it is known matters.
    if isinstance(node, bound.Within) and node.decay:
        node = bound.Within(node.values, node.width)
        known = node_answer(node, True, a, b)[0] or node_answer(node, False, a, b)[0]
        return "no" if known else "unknown"
    return "no" if node_answer(node, False, a, b)[0] else "unknown"


def _joined(every: bool, parts: Sequence[Reason], outermost: bool) -> Reason:
    """Kleene's and (``every``) or or, with the facts that decide: all of a yes, the first cause of a no."""
    decisive: Answer = "no" if every else "yes"
    settled: Answer = "yes" if every else "no"
    answers = [part.answer for part in parts]
    if decisive in answers:
        chosen = [part.text for part in parts if part.answer == decisive]
        if every:
            chosen += [part.text for part in parts if part.answer == "unknown"]
        text = "; ".join(chosen) if every else ", ".join(chosen)
        agreed = [part.text for part in parts if part.answer == settled] if every and outermost else []
        return Reason(decisive, f"{text}, though {', '.join(agreed)}" if agreed else text)
    if "unknown" in answers:
        return Reason("unknown", "; ".join(part.text for part in parts if part.answer == "unknown"))
    return Reason(settled, (", " if every else "; ").join(part.text for part in parts))


def _weighed(text: str, weight: float) -> str:
    """The text with the weight, where a match is graded."""
    told = weight == 1 or text.endswith(f"grade {number(weight)}")
    return text if told else f"{text}, weight {number(weight)}"


def _inner(rule: Rule) -> Rule:
    return rule.term if isinstance(rule, AcrossParts) else rule
