"""Why two samples are positive, ignored or negative: which leaf of the rule decides, and by which values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ssl_domains.pairs.binding.nodes import And, Node, Not, Or
from ssl_domains.pairs.binding.reason import Answer, Reason, number
from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.inspection.shown import TableValues
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.samples import SampleTable

__all__ = ["PairReasons", "PairState", "Reason"]

_NEGATED: dict[Answer, Answer] = {"yes": "no", "no": "yes", "unknown": "unknown"}


@dataclass(frozen=True)
class PairState:
    """The state of a pair of two different samples in the loss.

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
        objective: The objective.
        bound: The same objective, bound to ``table``.
        table: The rows.
        coded: Columns whose values are printed as letters; see `coded_columns`.
    """

    def __init__(
        self, objective: Objective, bound: BoundObjective, table: SampleTable, coded: Collection[str] = ()
    ) -> None:
        self.values = TableValues(table, coded)
        self._bound = bound
        self._relations = range(len(objective.relations))  # none, where the bound one has its own views

    def state(self, i: int, j: int) -> PairState:
        """The state of sample ``j`` for the anchor ``i``, both positions of the table, and why."""
        weights = tuple(self._weight(r, i, j) for r in self._relations)
        reasons = [self.relation(r, i, j) for r in self._relations]
        ignored = self.ignored(i, j)
        if any(weights):
            texts = [_weighed(reason.text, weight) for reason, weight in zip(reasons, weights, strict=True) if weight]
            return PairState("positive", " · ".join(dict.fromkeys(texts)), weights)
        if ignored is not None and ignored.answer == "yes":
            causes = [self.relation(r, i, j, agreed=False).text for r in self._relations]
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
        """What one relation answers for two samples, and why.

        Args:
            relation: Which relation.
            i: Position of the anchor.
            j: Position of the other sample.
            agreed: Whether the reason of a no also names the terms that say yes.
        """
        return self._explain(self._bound.relations[relation].rule.node, i, j, outermost=agreed)

    def ignored(self, i: int, j: int) -> Reason | None:
        """What the ignore rule answers for two samples, and why; None without one."""
        return None if self._bound.ignored is None else self._explain(self._bound.ignored.node, i, j)

    def _weight(self, relation: int, i: int, j: int) -> float:
        rule = self._bound.relations[relation].rule
        return float(rule.weights_pairwise(np.array([i]), np.array([j]))[0])

    def _explain(self, node: Node, i: int, j: int, *, outermost: bool = True) -> Reason:
        match node:
            case Not(term=term):
                reason = self._explain(term, i, j, outermost=False)
                return Reason(_NEGATED[reason.answer], reason.text)
            case And(terms=terms) | Or(terms=terms):
                reasons = [self._explain(term, i, j, outermost=False) for term in terms]
                return _joined(isinstance(node, And), reasons, outermost)
            case leaf:
                return leaf.explain(i, j, self.values)


def _joined(every: bool, parts: Sequence[Reason], outermost: bool) -> Reason:
    """The reason of an And (``every``) or an Or: the texts of the terms that decide its answer.

    Args:
        every: Whether every term must say yes.
        parts: The reasons of the terms.
        outermost: Whether the reason of a no also names the terms that say yes, for an And.
    """
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
    """The text with the weight, unless that is 1 or is in the text already."""
    complete = weight == 1 or text.endswith(f"grade {number(weight)}")
    return text if complete else f"{text}, weight {number(weight)}"
