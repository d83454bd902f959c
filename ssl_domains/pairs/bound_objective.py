"""An objective over the rows of a table: it draws positives and builds the pairs of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.pairs.batch.build import build_pairs
from ssl_domains.pairs.batch.pair_batch import PairBatch
from ssl_domains.pairs.batch.rows import Rows
from ssl_domains.pairs.binding.binder import Binder
from ssl_domains.pairs.binding.bins import fit_edges
from ssl_domains.pairs.binding.bound_rule import BoundRelation, BoundRule
from ssl_domains.pairs.drawing.draw import Drawer, draw
from ssl_domains.pairs.drawing.tally import DrawCount
from ssl_domains.pairs.leaves.same import Same
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.samples import SampleTable

__all__ = ["BoundObjective", "BoundRelation", "bind_objective", "fit_objective"]


@dataclass(frozen=True, eq=False)
class BoundObjective:
    """An objective over the rows of a table; picklable, NumPy columns only.

    Attributes:
        size: Rows of the table.
        relations: At least one; ``Objective()`` binds to one of the text ``none``, whose only positives are own views.
        ignored: The ignore rule, or None.
        ignored_across_parts: Whether it matches rows of different parts.
    """

    size: int
    relations: tuple[BoundRelation, ...]
    ignored: BoundRule | None = None
    ignored_across_parts: bool = False
    _drawers: dict[int, Drawer] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The relations' texts, in order."""
        return tuple(relation.text for relation in self.relations)

    def pairs(
        self, anchors: Rows, candidates: Rows | None = None, *, stored: Literal["positive", "ignore"] = "positive"
    ) -> PairBatch:
        """The state of every pair of rows.

        Args:
            anchors: Views of samples of this table.
            candidates: The rows that anchors are compared with; None for the anchors themselves. They replace the
                batch: to compare with a queue and with the batch, include the batch's rows.
            stored: What a row of a queue or bank is that matches a relation: ``"positive"``, as a row of the batch is,
                or ``"ignore"``: neither positive nor negative, for keys that are too old to be a target.

        Returns:
            A `PairBatch` on the anchors' device.

        Raises:
            UsageError: When rows point outside the table, repeat, or lack an emitted number that the rule reads.
        """
        ignore = stored == "ignore"
        return build_pairs(
            self.size, self.relations, self.ignored, self.ignored_across_parts, anchors, candidates, ignore
        )

    def draw(
        self,
        anchors: NDArray[np.int64],
        k: int,
        rng: np.random.Generator,
        relation: int = 0,
        among: NDArray[np.int64] | None = None,
        count: DrawCount | None = None,
    ) -> NDArray[np.int64]:
        """Draw ``k`` matching positions of *other* samples for each anchor, all matches being equally likely.

        An anchor of at least ``k`` matches gets ``k`` different ones; an anchor with fewer gets all of them, some
        repeated. Numbers that views emit count as unknown.

        Args:
            anchors: Positions ``[n]``.
            k: How many each, at least 0.
            rng: Generator; the same state draws the same.
            relation: Which relation must match.
            among: Positions that may be drawn; None for all. An index narrowed to the last ``among`` is kept.
            count: Tally of the draw to add to. Without one, a `RuntimeWarning` says how many anchors were given up.

        Returns:
            int64 ``[n, k]``, −1 where the anchor has no match.

        Raises:
            UsageError: When there is no such relation or position, or ``k`` is negative.
        """
        return draw(self.drawer(relation), anchors, k, rng, among, count)

    def drawer(self, relation: int = 0) -> Drawer:
        """What draws by a relation: its index of the table, built on first use and kept.

        Raises:
            UsageError: When there is no such relation.
        """
        if not 0 <= relation < len(self.relations):
            raise UsageError(f"there is no relation {relation}", f"the objective has {len(self.relations)}, from 0")
        if relation not in self._drawers:
            self._drawers[relation] = Drawer(self.relations[relation].rule, self.size)
        return self._drawers[relation]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_drawers": {}}  # workers build an index when they need one


def fit_objective(objective: Objective, data: Any) -> dict[str, list[float]]:
    """See `Objective.fit`."""
    table = SampleTable.of(data)
    fitted: dict[str, list[float]] = {}
    for key in (key for rule in objective.rules for key in rule.bins):
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
    names = (emitted,) if isinstance(emitted, str) else tuple(emitted)
    for name in names:
        if name in table.columns:
            raise UsageError(f"{name!r} is both a column and a number that views emit", "rename one of them")
    binder = Binder(table, fitted, frozenset(names), edges)
    relations = []
    for relation in objective.relations:
        rule, across = binder.rule(relation.rule)
        relations.append(BoundRelation(relation.weight, str(relation.rule), across, rule))
    if not relations:
        own_views = BoundRule.of(Same(np.arange(len(table), dtype=np.int64)), "same('sample')")
        relations.append(BoundRelation(1.0, "none", False, own_views))
    if objective.ignored is None:
        return BoundObjective(len(table), tuple(relations))
    return BoundObjective(len(table), tuple(relations), *binder.rule(objective.ignored))
