"""Tying an objective to a table: rules become codes and numbers, one a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.pairs.binding import bound_rule as bound
from ssl_domains.pairs.binding.bins import assign_bins, bins_per_group, fit_edges, width_edges
from ssl_domains.pairs.binding.bound_rule import BoundRule
from ssl_domains.pairs.binding.edges import linked_rows
from ssl_domains.pairs.binding.lists import list_members
from ssl_domains.pairs.rules.algebra import AcrossParts, And, Not, Or, Rule, Same, Within
from ssl_domains.pairs.rules.keys import SAMPLE, Bins, Key
from ssl_domains.pairs.rules.linked import Linked
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.pairs.rules.overlap import Overlap
from ssl_domains.samples import SampleTable

if TYPE_CHECKING:
    from ssl_domains.pairs.batch.pair_batch import PairBatch
    from ssl_domains.pairs.batch.rows import Rows
    from ssl_domains.pairs.drawing.tally import DrawCount

__all__ = ["BoundObjective", "BoundRelation", "bind_objective", "fit_objective"]


@dataclass(frozen=True, eq=False)
class BoundRelation:
    """One relation over the rows of a table.

    Attributes:
        weight: α_r.
        text: The rule's text.
        across_parts: Whether it matches rows of different parts.
        rule: The compiled rule, always usable.
        codes: int64 ``[size]``, −1 missing, when equal codes are the whole rule; else None.
    """

    weight: float
    text: str
    across_parts: bool
    rule: BoundRule

    @property
    def codes(self) -> NDArray[np.int64] | None:
        """The rule as one code a sample, where it is a pure conjunction of `same` over table columns."""
        return self.rule.codes if self.rule.pure else None


@dataclass(frozen=True, eq=False)
class BoundObjective:
    """An objective over the rows of a table; picklable, NumPy columns only.

    Attributes:
        size: Rows of the table.
        relations: At least one; ``Objective()`` binds to one of text ``none``, whose positives are own views only.
        ignored: The ignore rule, or None.
        ignored_across_parts: Whether it matches rows of different parts.
    """

    size: int
    relations: tuple[BoundRelation, ...]
    ignored: BoundRule | None = None
    ignored_across_parts: bool = False
    _drawers: dict[int, Any] = field(default_factory=dict, repr=False)  # `draw` keeps its indices here

    @property
    def names(self) -> tuple[str, ...]:
        """The relations' texts, in order."""
        return tuple(relation.text for relation in self.relations)

    def pairs(self, anchors: Rows, candidates: Rows | None = None) -> PairBatch:
        """The state of every pair of rows.

        Args:
            anchors: Views of samples of this table.
            candidates: What they are compared with; None for the anchors themselves. Replaces the batch: include the
                batch's rows where they are wanted beside a queue.

        Returns:
            A `PairBatch` on the anchors' device.

        Raises:
            UsageError: When rows point outside the table, repeat, or lack an emitted number the rule reads.
        """
        from ssl_domains.pairs.batch.build import pair_rows

        return pair_rows(self, anchors, candidates)

    def draw(
        self,
        anchors: NDArray[np.int64],
        k: int,
        rng: np.random.Generator,
        relation: int = 0,
        among: NDArray[np.int64] | None = None,
        count: DrawCount | None = None,
    ) -> NDArray[np.int64]:
        """Draw ``k`` matching positions of *other* samples for each anchor.

        Args:
            anchors: Positions ``[n]``.
            k: How many each.
            rng: Generator; the same state draws the same.
            relation: Which relation must match.
            among: Positions that may be drawn; None for all.
            count: Tally of the draw to add to.

        Returns:
            int64 ``[n, k]``, −1 where there is none.
        """
        from ssl_domains.pairs.drawing.draw import draw

        return draw(self, anchors, k, rng, relation, among, count)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_drawers": {}}  # indices are rebuilt, not sent to workers


def fit_objective(objective: Objective, data: Any) -> dict[str, list[float]]:
    """See `Objective.fit`."""
    table = SampleTable.of(data)
    fitted: dict[str, list[float]] = {}
    for key in _bins_of(objective):
        if key.per is None and key.range is None:
            fitted[str(key)] = fit_edges(table.numbers(key.column), key.n, key.by)
    return fitted


def bind_objective(
    objective: Objective,
    data: Any,
    fitted: Mapping[str, Sequence[float]] | None = None,
    emitted: Sequence[str] = (),
    edges: Mapping[str, Any] | None = None,
) -> BoundObjective:
    """See `Objective.bind`."""
    table = SampleTable.of(data)
    if isinstance(emitted, str):
        emitted = (emitted,)
    for name in emitted:
        if name in table.columns:
            raise UsageError(f"{name!r} is both a column and a number that views emit", "rename one of them")
    binder = _Binder(table, fitted, frozenset(emitted), edges or {})
    relations = []
    for relation in objective.relations:
        rule, across = _part_scope(relation.rule)
        compiled = BoundRule.of(binder.node(rule), str(rule))
        relations.append(BoundRelation(relation.weight, str(relation.rule), across, compiled))
    if not relations:
        relations.append(BoundRelation(1.0, "none", False, _own_views(len(table))))
    if objective.ignored is None:
        return BoundObjective(len(table), tuple(relations))
    rule, across = _part_scope(objective.ignored)
    ignored = BoundRule.of(binder.node(rule), str(rule))
    return BoundObjective(len(table), tuple(relations), ignored, across)


class _Binder:
    """Compiles rules over one table; a column read twice becomes one array."""

    def __init__(
        self,
        table: SampleTable,
        fitted: Mapping[str, Sequence[float]] | None,
        emitted: frozenset[str],
        edges: Mapping[str, Any],
    ) -> None:
        self.table = table
        self.fitted = fitted
        self.emitted = emitted
        self.edges = edges
        self._codes: dict[Key, NDArray[np.int64]] = {}
        self._numbers: dict[str, NDArray[np.float64]] = {}
        self._lists: dict[str, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]] = {}
        self._links: dict[Linked, bound.Linked] = {}

    def node(self, rule: Rule) -> bound.Node:
        match rule:
            case Same(keys=keys):
                # One node a key: under ~, an unknown key must not hide another key's no.
                terms = tuple(self.same(key) for key in keys)
                return terms[0] if len(terms) == 1 else bound.And(terms)
            case Within(column=column, width=width, graded=decay):
                if column in self.emitted:
                    return bound.EmittedWithin(column, width, decay)
                return bound.Within(self.numbers(column), width, decay)
            case Overlap(column=column, at_least=at_least, graded=jaccard):
                self.of_the_table(column, "overlap() takes a column of lists")
                if column not in self._lists:
                    self._lists[column] = list_members(self.table, column)
                return bound.Overlap(*self._lists[column], at_least, jaccard)
            case Linked(file=file, key=key):
                self.of_the_table(key, "linked(key=) takes a column of the table")
                if rule not in self._links:
                    self._links[rule] = linked_rows(rule, self.table, self.edges.get(file))
                return self._links[rule]
            case And(terms=rules):
                return bound.And(tuple(self.node(term) for term in rules))
            case Or(terms=rules):
                return bound.Or(tuple(self.node(term) for term in rules))
            case Not(term=term):
                return bound.Not(self.node(term))
        raise UsageError(f"{type(rule).__name__} is no rule that can be bound", "make rules by same() and within()")

    def of_the_table(self, column: str, hint: str) -> None:
        if column in self.emitted:
            raise UsageError(f"{column!r} is a number that views emit", hint)

    def same(self, key: Key) -> bound.Node:
        column = key.column if isinstance(key, Bins) else key
        if column in self.emitted:
            return bound.EmittedSame(column, self.emitted_edges(key) if isinstance(key, Bins) else None)
        if key not in self._codes:
            self._codes[key] = self.bin_codes(key) if isinstance(key, Bins) else self.table.codes(key)
        return bound.Same(self._codes[key])

    def bin_codes(self, key: Bins) -> NDArray[np.int64]:
        values = self.numbers(key.column)
        if key.per is not None:
            if key.per in self.emitted:
                raise UsageError(f"{key} is cut per {key.per!r}, which views emit", "per= takes a column of the table")
            return bins_per_group(values, self.table.codes(key.per), key.n, key.by)
        if key.range is not None:
            return assign_bins(values, width_edges(*key.range, key.n))
        if self.fitted is None:
            return assign_bins(values, fit_edges(values, key.n, key.by))
        if str(key) not in self.fitted:
            raise UsageError(f"no fitted edges for {key}", "take them from objective.fit(training rows)")
        return assign_bins(values, self.fitted[str(key)])

    def emitted_edges(self, key: Bins) -> tuple[float, ...]:
        if key.range is None:
            hint = f"write bins({key.column!r}, {key.n}, range=(lo, hi))"
            raise UsageError(f"{key} cuts a number that views emit, which has no range to fit", hint)
        return tuple(width_edges(*key.range, key.n))

    def numbers(self, column: str) -> NDArray[np.float64]:
        if column not in self._numbers:
            self._numbers[column] = self.table.numbers(column)
        return self._numbers[column]


def _part_scope(rule: Rule) -> tuple[Rule, bool]:
    """The rule without `across_parts`, and whether it matches across parts: it says so, or reads `linked`."""
    return (rule.term, True) if isinstance(rule, AcrossParts) else (rule, bool(rule.edge_files))


def _own_views(size: int) -> BoundRule:
    return BoundRule.of(bound.Same(np.arange(size, dtype=np.int64)), f"same({SAMPLE!r})")


def _bins_of(objective: Objective) -> list[Bins]:
    rules = list(objective.rules)
    found: list[Bins] = []
    while rules:
        rule = rules.pop(0)
        rules.extend(rule.operands)
        if isinstance(rule, Same):
            found.extend(key for key in rule.keys if isinstance(key, Bins))
    return found
