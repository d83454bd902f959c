"""A composition bound to a table: which rows can be seeds and partners, and how negatives are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.pairs.binding.sorting import positions_dtype
from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.drawing.draw import Drawer
from ssl_domains.pairs.drawing.tally import DrawCount
from ssl_domains.pairs.rules.algebra import Rule
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.pairs.rules.text import parse
from ssl_domains.pairs.sampling.composition import Composition
from ssl_domains.pairs.sampling.kinds import COLUMNS, Kinds
from ssl_domains.pairs.sampling.negatives import NegativeDraw
from ssl_domains.samples import SampleTable

__all__ = ["Seats", "bind_seats", "drawing_rules", "reads"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Seats:
    """What a composition is over the rows of a table.

    Attributes:
        seeds: Positions of the rows that are seeds; None for all.
        partners: Positions that may be partners; None for all.
        left_out: Rows of the seeds' kind that match no row, and so can't have a partner of the other kind.
        negatives: Draws the negative seats; None without any.
        lengths: float64 ``[size]``, by which the plan is sorted; None without sorting.
    """

    seeds: Ints | None = None
    partners: Ints | None = None
    left_out: int = 0
    negatives: NegativeDraw | None = None
    lengths: NDArray[np.float64] | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps beside the rules' own arrays."""
        arrays = (self.seeds, self.partners, self.lengths)
        kept = sum(array.nbytes for array in arrays if array is not None)
        return kept if self.negatives is None else kept + self.negatives.index.nbytes + self.negatives.rows.nbytes


def drawing_rules(composition: Composition) -> dict[str, Rule]:
    """The rules by which a composition draws negatives, by the name of the setting.

    Raises:
        UsageError: When a text is no rule, or is an objective with weights or an ignore rule.
    """
    rules: dict[str, Rule] = {}
    for name in ("negatives", "warmup"):
        text = getattr(composition, name)
        if text is None:
            continue
        relations = Objective.of(parse(text))
        if len(relations.relations) != 1 or relations.ignored is not None:
            raise UsageError(f"{name}={text!r} is not one rule", "join rules by & and |, without weights")
        rules[name] = relations.relations[0].rule
    return rules


def reads(composition: Composition, table: SampleTable) -> tuple[frozenset[str], tuple[str, ...]]:
    """The columns and the edge files, or names of edge tables, that a composition reads beside the objective."""
    rules = drawing_rules(composition).values()
    columns = frozenset[str]().union(*(rule.columns for rule in rules))
    if composition.negatives is not None or composition.seeds is not None:
        columns |= set([name for name in COLUMNS if name in table.columns][:1])
    if composition.bucket is not None:
        columns |= {composition.bucket}
    return columns, tuple(dict.fromkeys(file for rule in rules for file in rule.edge_files))


def bind_seats(
    composition: Composition, bound: BoundObjective, table: SampleTable | None, edges: Mapping[str, Any] | None
) -> Seats:
    """Bind a composition to the table that its objective is bound to.

    Args:
        composition: The composition, not ``auto``.
        bound: The objective over the table.
        table: The table; None is enough for a composition without negatives, seeds and bucket.
        edges: Edge tables by name, for ``linked`` in ``negatives`` and ``warmup``.

    Raises:
        UsageError: When the table or a column is missing, a rule can't be bound or drawn by, or a seat would mix rows
            of two kinds.
        DataError: When no row can be a seed.
    """
    needed = [name for name in ("negatives", "seeds", "bucket") if getattr(composition, name) is not None]
    if not needed:
        return Seats()
    if table is None:
        raise UsageError(f"{needed[0]} reads the sample table", "give it: BatchSampler(bound, composition, table=df)")
    if len(table) != bound.size:
        raise UsageError(f"the table has {len(table)} rows, the objective {bound.size}", "give the same rows to both")
    lengths = None if composition.bucket is None else table.numbers(composition.bucket)
    drawers = {name: _drawer(rule, name, table, edges) for name, rule in drawing_rules(composition).items()}
    kinds = Kinds.of(table) if composition.negatives is not None or composition.seeds is not None else None
    seeds, partners, left_out, other = None, None, 0, None
    if composition.seeds is not None and kinds is None:
        raise UsageError("seeds names rows of one side, and the table says no sides", "add a column 'side' or 'kind'")
    if kinds is not None:
        seeds, partners, left_out, other = _anchors_by_kind(composition, bound, kinds)
    negatives = None
    if drawers:
        rows = np.arange(bound.size) if seeds is None else seeds
        negatives = _negatives(composition, bound, drawers, kinds, rows, other)
    return Seats(seeds, partners, left_out, negatives, lengths)


def _drawer(rule: Rule, name: str, table: SampleTable, edges: Mapping[str, Any] | None) -> Drawer:
    given = {} if edges is None else {key: edges[key] for key in rule.edge_files if key in edges}
    relation = (1 * rule).bind(table, edges=given).relations[0]
    drawer = Drawer(relation.rule, len(table))
    if drawer.has_no_match:
        raise UsageError(f"{name}={str(rule)!r} has no match before the views are made", "draw by columns or edges")
    return drawer


def _anchors_by_kind(
    composition: Composition, bound: BoundObjective, kinds: Kinds
) -> tuple[Ints | None, Ints | None, int, str | None]:
    """Seeds, partners, seeds that were left out, and the kind of the last anchor seat.

    Whether partners are of one kind, and which seeds have one, is found by drawing one for every seed.
    """
    every = np.arange(bound.size, dtype=np.int64)
    seeds = every if composition.seeds is None else kinds.rows_of(composition.seeds)
    present = kinds.present(every)
    choice = "query" if "query" in present else present[0]
    hint = f"say which rows are seeds: --set pairs.composition=partner --set pairs.seeds={choice}"
    kind = kinds.only(seeds, "the first seat", hint)
    if composition.kind != "partner" or kind is None:
        return (None if composition.seeds is None else seeds), None, 0, kind
    drawer = bound.drawer(composition.compose_by)
    drawn = drawer.draw(seeds, 1, np.random.default_rng(0), None, DrawCount())[:, 0]
    hint = "narrow the rule, so that it joins rows of the seeds' side with rows of one side"
    partner = kinds.only(drawn[drawn >= 0], "the seat of partners", hint)
    if partner is None:
        raise DataError(f"no seed of {kinds.column} {kind!r} matches a row", "check the rule and its edges")
    if partner == kind:
        every_row = len(seeds) == bound.size
        return (None, None, 0, kind) if every_row else (seeds, kinds.rows_of(partner), 0, kind)
    able = seeds[drawn >= 0]
    return able, kinds.rows_of(partner), len(seeds) - len(able), partner


def _negatives(
    composition: Composition,
    bound: BoundObjective,
    drawers: Mapping[str, Drawer],
    kinds: Kinds | None,
    seeds: Ints,
    other: str | None,
) -> NegativeDraw:
    """The draw of negatives: of one kind, by the warm-up rule as long as the rule itself matches nothing."""
    every = np.arange(bound.size, dtype=np.int64)
    drawer, warming = drawers["negatives"], False
    if "warmup" in drawers and not drawer.index.counts(every).any():
        drawer, warming = drawers["warmup"], True
    rows, index = every, drawer.index
    if kinds is not None:
        drawn = drawer.draw(seeds, 1, np.random.default_rng(1), None, DrawCount())[:, 0]
        hint = f"narrow {'warmup' if warming else 'negatives'}, so that it joins the seeds with rows of one side"
        kind = kinds.only(drawn[drawn >= 0], "the seat of negatives", hint) or other
        rows = every if kind is None else kinds.rows_of(kind)
    if len(rows) < bound.size:
        drawable = np.zeros(bound.size, dtype=np.bool_)
        drawable[rows] = True
        index = index.narrowed(drawable)
    kept = rows.astype(positions_dtype(bound.size))
    return NegativeDraw(bound, drawer.rule, index, warming, kept, composition.n_negatives)
