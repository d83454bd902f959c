"""The report on pairs before training: what a rule matches, and what must not be trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.pairs.binding.bound_rule import BoundRelation
from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.inspection.counts import PairCounts, count_pairs, matches_everything
from ssl_domains.pairs.inspection.nuisance import (
    Sharing,
    chance_agreement,
    comparable_codes,
    mutual_information,
    verdict,
)
from ssl_domains.pairs.rules.algebra import Rule
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.pairs.sampling.batch_sampler import BatchSampler
from ssl_domains.pairs.sampling.expected import cross_positives, measurable_batches
from ssl_domains.samples import SampleTable

__all__ = ["ColumnFacts", "GroupSizes", "NegativeFacts", "PairsReport", "RelationFacts", "inspect_pairs"]

_FEW = 0.5  # share of anchors without a positive of another sample above which a relation is warned of


@dataclass(frozen=True)
class ColumnFacts:
    """A column that the objective reads: its distinct and missing values.

    For a column of lists, ``distinct`` counts members, ``constant`` means that every list has the same single member,
    and ``all_unique`` means that no member is in two rows.
    """

    name: str
    distinct: int
    missing: int
    constant: bool
    all_unique: bool


@dataclass(frozen=True)
class GroupSizes:
    """The groups of a relation that is equality of codes.

    Attributes:
        groups: Number of groups.
        alone: Groups of one sample.
        missing: Rows without a group.
        quantiles: Sizes at 0, 25, 50, 75 and 100 % of the groups.
        histogram: Groups by size, ``"1"``, ``"2"``, ``"3-4"``, ``"5-8"`` and so on.
    """

    groups: int
    alone: int
    missing: int
    quantiles: tuple[float, ...]
    histogram: dict[str, int]


@dataclass(frozen=True)
class RelationFacts:
    """One relation over the rows and the planned epoch.

    Attributes:
        text: Its rule.
        weight: α_r.
        groups: Group sizes, None for a predicate.
        without_cross_positive: Share of the epoch's anchors without a positive of another sample; None when the rule
            reads numbers that views emit.
        cross_positives: Mean positives of other samples an anchor.
        measured_batches: Batches in which these two were counted.
        matches_all: Whether it matches every pair.
        sharing: How positives compare with the label and the nuisance columns.
    """

    text: str
    weight: float
    groups: GroupSizes | None
    without_cross_positive: float | None
    cross_positives: float | None
    measured_batches: int
    matches_all: bool
    sharing: tuple[Sharing, ...]


@dataclass(frozen=True)
class NegativeFacts:
    """The drawn negatives of the planned epoch.

    Attributes:
        rule: Rule that draws them.
        warmup: Rule that serves as long as ``rule`` matches nothing; None without one.
        of_slot: Negatives of a slot.
        by_rule: Share of the negatives drawn by the rule.
        by_warmup: Share drawn by the warm-up rule.
        random: Share of random rows.
        repeated: Share that a slot has twice, because too few other rows are possible.
        given_up: Slots for which the search by the rule ended early.
    """

    rule: str
    warmup: str | None
    of_slot: int
    by_rule: float
    by_warmup: float
    random: float
    repeated: float
    given_up: int

    @property
    def text(self) -> str:
        """The facts in words."""
        parts = [
            f"{_percent(self.by_rule)} by {self.rule}" + ("" if self.by_rule else ", which matches nothing possible"),
            *([f"{_percent(self.by_warmup)} by the warm-up {self.warmup}"] if self.warmup is not None else []),
            f"{_percent(self.random)} random rows",
            *([f"{_percent(self.repeated)} repeated"] if self.repeated else []),
        ]
        return f"{self.of_slot} a slot: {'; '.join(parts)}"


@dataclass(frozen=True)
class PairsReport:
    """What the ``pairs`` command prints.

    Attributes:
        samples: Rows.
        batch_size: Samples of a batch.
        steps: Batches of an epoch.
        composition: How batches are composed.
        per_group: Samples that belong together.
        reason: Why.
        relations: One a relation; none for the objective ``none``.
        columns: The columns the objective reads.
        label: Name of the label, if one was given.
        false_negatives: Share of negatives that have the same label, among those whose labels are known; None without
            a label, or when no negative has known labels.
        false_negatives_an_anchor: Mean number of them for an anchor in its batch; None likewise.
        edges: Fitted bin edges.
        refusals: Why these pairs must not be trained on.
        warnings: What the user should check.
        hints: How to mend each refusal.
        label_missing: Whether the label is missing in every row.
        seeds: Rows that can be seeds.
        left_out: Rows of the seeds' side that can't, as they match no row.
        seats: Seats of a slot.
        negatives: The drawn negatives; None without any. They are candidates of the loss: shares of anchors are those
            of seeds and partners.
    """

    samples: int
    batch_size: int
    steps: int
    composition: str
    per_group: int
    reason: str
    relations: tuple[RelationFacts, ...]
    columns: tuple[ColumnFacts, ...]
    label: str | None
    false_negatives: float | None
    false_negatives_an_anchor: float | None
    edges: dict[str, list[float]]
    refusals: list[str]
    warnings: list[str]
    hints: list[str] = field(default_factory=list)
    label_missing: bool = False
    seeds: int | None = None
    left_out: int = 0
    seats: int = 1
    negatives: NegativeFacts | None = None

    def check(self) -> None:
        """Refuse pairs that must not be trained on.

        Raises:
            DataError: With the first refusal and its hint.
        """
        if self.refusals:
            raise DataError(self.refusals[0], self.hints[0])

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return asdict(self)

    def rows(self) -> list[tuple[str, str]]:
        """The report as lines of (name, value)."""
        by = "" if self.composition in ("random", "partner") else f" of {self.per_group}"
        lines = [
            ("samples", f"{self.samples:,}"),
            ("batches an epoch", f"{self.steps:,} of {self.batch_size:,}"),
            ("composition", f"{self.composition}{by} ({self.reason})"),
        ]
        if self.seeds is not None and self.seeds < self.samples:
            alone = f"; {self.left_out:,} others of their side match no row" if self.left_out else ""
            lines.append(("seeds", f"{self.seeds:,} rows{alone}"))
        if self.negatives is not None:
            lines.append(("negatives", self.negatives.text))
        for relation in self.relations:
            lines += _relation_rows(relation, self.steps)
        if not self.relations:
            lines.append(("relations", "none: own views only, plain SimCLR"))
        if self.label is not None and self.false_negatives is None:
            cause = (
                f"label {self.label!r} is missing throughout" if self.label_missing else "no negative has known labels"
            )
            lines.append(("expected false negatives", f"unknown: {cause}"))
        if self.false_negatives is not None:
            an_anchor = f"{self.false_negatives_an_anchor:.1f} an anchor"
            lines.append(("expected false negatives", f"{_percent(self.false_negatives)} of negatives, {an_anchor}"))
        for column in self.columns:
            facts = [f"{column.distinct:,} distinct"]
            facts += [f"{column.missing:,} missing"] if column.missing else []
            facts += ["constant"] if column.constant else []
            facts += ["all unique"] if column.all_unique else []
            lines.append((f"column {column.name}", ", ".join(facts)))
        return lines + [("refused", refusal) for refusal in self.refusals]


def inspect_pairs(
    table: SampleTable,
    objective: Objective | Rule,
    bound: BoundObjective,
    sampler: BatchSampler,
    *,
    label: str | None = None,
    nuisance: Sequence[str] = (),
    fitted: Mapping[str, Sequence[float]] | None = None,
) -> PairsReport:
    """Inspect the pairs of a planned epoch.

    Args:
        table: The rows that ``objective`` is bound to.
        objective: The rule.
        bound: The rule over ``table``.
        sampler: Plans the batches; its first epoch is counted.
        label: Column that the encoder will be used for; positives are compared with it, and it is never trained on.
        nuisance: Columns that should not explain the positives, such as the scanner.
        fitted: Fitted edges, which the report keeps.

    Returns:
        The report; call `PairsReport.check` to refuse pairs that must not be trained on.

    Raises:
        UsageError: When a column is missing or holds lists.
    """
    objective = Objective.of(objective)
    plan = sampler.plan(0)
    roles = {} if label is None else {label: "label"}
    roles |= {name: "nuisance" for name in nuisance if name != label}
    codes = {name: comparable_codes(table, name) for name in roles}
    anchors = sampler.composition.anchor_seats * sampler.batch_size
    counts = count_pairs(bound, plan, codes, anchors)
    relations = tuple(
        _relation_facts(bound, r, plan, anchors, counts, roles, codes) for r in range(len(objective.relations))
    )
    columns = tuple(_column_facts(table, name) for name in sorted(objective.columns) if name in table.columns)
    refused = list(_refusals(objective, bound, relations, columns))
    label_missing = label is not None and bool(codes[label].max(initial=-1) < 0)
    false, per_anchor = None, None
    if label is not None and counts.negative_known[label]:
        false = counts.negative_equal[label] / counts.negative_known[label]
        # A sample can be in a batch twice, with partners often. Pairs were counted between different samples.
        per_anchor = counts.negative_equal[label] / counts.anchors
    return PairsReport(
        samples=len(table),
        batch_size=sampler.batch_size,
        steps=len(plan),
        composition=sampler.composition.kind,
        per_group=sampler.composition.per_group,
        reason=sampler.reason,
        relations=relations,
        columns=columns,
        label=label,
        false_negatives=false,
        false_negatives_an_anchor=per_anchor,
        edges={key: list(values) for key, values in (fitted or {}).items()},
        refusals=[message for message, _ in refused],
        warnings=[
            *_given_up(sampler),
            *([f"label {label!r} is missing throughout"] if label_missing else []),
            *_warnings(len(table), relations, columns),
        ],
        hints=[hint for _, hint in refused],
        label_missing=label_missing,
        seeds=sampler.n_seeds,
        left_out=sampler.seats.left_out,
        seats=sampler.composition.seats,
        negatives=_negative_facts(sampler),
    )


def _negative_facts(sampler: BatchSampler) -> NegativeFacts | None:
    count, composition = sampler.negatives_drawn, sampler.composition
    if count is None:
        return None
    return NegativeFacts(
        rule=str(composition.negatives),
        warmup=None if composition.warmup is None else str(composition.warmup),
        of_slot=composition.n_negatives,
        by_rule=count.share(count.by_rule),
        by_warmup=count.share(count.by_warmup),
        random=count.share(count.random),
        repeated=count.share(count.repeated),
        given_up=count.given_up,
    )


def _relation_facts(
    bound: BoundObjective,
    r: int,
    plan: NDArray[np.int64],
    anchors: int,
    counts: PairCounts,
    roles: Mapping[str, str],
    columns: Mapping[str, NDArray[np.int64]],
) -> RelationFacts:
    relation = bound.relations[r]
    batches = measurable_batches(relation, plan)
    without: float | None = None
    mean: float | None = None
    if not relation.rule.reads_emitted:
        met = cross_positives(relation, plan[:batches])[:, :anchors]
        without, mean = float((met == 0).mean()), float(met.mean())
    sharing = []
    for name, codes in columns.items():
        positive, equal = counts.positive_equal[r][name], counts.equal[name]
        agreement = positive / counts.positive_known[r][name] if counts.positive_known[r][name] else None
        recall = positive / equal if equal else None
        chance = chance_agreement(codes)
        nmi = None if relation.codes is None else mutual_information(relation.codes, codes)
        words = verdict(name, roles[name], agreement, chance, recall)
        if codes.max(initial=-1) < 0:
            words = "missing throughout"
        sharing.append(Sharing(name, roles[name], agreement, chance, recall, nmi, words))
    return RelationFacts(
        text=relation.text,
        weight=relation.weight,
        groups=None if relation.codes is None else _group_sizes(relation.codes),
        without_cross_positive=without,
        cross_positives=mean,
        measured_batches=batches,
        matches_all=matches_everything(bound, r),
        sharing=tuple(sharing),
    )


def _group_sizes(codes: NDArray[np.int64]) -> GroupSizes:
    sizes = np.bincount(codes[codes >= 0])
    sizes = sizes[sizes > 0]
    histogram = {}
    lowest = highest = 1
    while len(sizes) and lowest <= sizes.max():
        count = int(((sizes >= lowest) & (sizes <= highest)).sum())
        histogram[f"{lowest}" if lowest == highest else f"{lowest}-{highest}"] = count
        lowest, highest = highest + 1, 2 * highest
    quantiles = np.quantile(sizes, [0, 0.25, 0.5, 0.75, 1]).tolist() if len(sizes) else []
    return GroupSizes(len(sizes), int((sizes == 1).sum()), int((codes < 0).sum()), tuple(quantiles), histogram)


def _column_facts(table: SampleTable, name: str) -> ColumnFacts:
    if table.column(name).dtype.is_nested():
        return _list_facts(table, name)
    codes = table.codes(name)
    known = codes[codes >= 0]
    distinct = len(np.unique(known))
    return ColumnFacts(
        name=name,
        distinct=distinct,
        missing=int((codes < 0).sum()),
        constant=distinct == 1 and len(known) > 1,
        all_unique=distinct == len(known) and distinct > 1,
    )


def _list_facts(table: SampleTable, name: str) -> ColumnFacts:
    """The facts of a column of lists, in which a member counts once a row."""
    lists = table.column(name)
    sets = lists.drop_nulls().to_list()
    rows: dict[object, int] = {}
    for members in sets:
        for member in {member for member in members if member is not None}:
            rows[member] = rows.get(member, 0) + 1
    everywhere = len(sets) > 1 and list(rows.values()) == [len(sets)]
    alone = len(rows) > 1 and max(rows.values()) == 1
    return ColumnFacts(name, len(rows), lists.null_count(), everywhere, alone)


def _refusals(
    objective: Objective, bound: BoundObjective, relations: Sequence[RelationFacts], columns: Sequence[ColumnFacts]
) -> Iterable[tuple[str, str]]:
    """Why these pairs must not be trained on, each with a hint; the most informative first."""
    unique = {column.name for column in columns if column.all_unique}
    for relation in objective.relations:
        for name in sorted(relation.rule.equal_columns & unique):
            yield (
                f"column {name!r} is all unique, so {relation.rule} never matches two samples: this equals SimCLR",
                "take a column whose values several samples share, or cut a number into bins()",
            )
    for facts in relations:
        if facts.matches_all:
            yield (
                f"{facts.text} matches all pairs: every sample is a positive of every other",
                "take a column that varies, a narrower window or more bins",
            )
    within_samples = any(_matches_within_a_sample(relation, bound.size) for relation in bound.relations)
    if relations and not within_samples and all(facts.cross_positives == 0 for facts in relations):
        counted = relations[0].measured_batches
        yield (
            f"no anchor has a positive of another sample in the {counted:,} planned batches: this equals SimCLR",
            "check the rule's columns, compose by groups or draw, or say --relations none",
        )


def _matches_within_a_sample(relation: BoundRelation, size: int) -> bool:
    """Whether rows of one sample can be positives: by numbers that views emit, or in different parts."""
    if relation.rule.reads_emitted:
        return True
    rows = np.arange(size)
    return relation.across_parts and bool(relation.rule.matches_pairwise(rows, rows).any())


def _given_up(sampler: BatchSampler) -> Iterable[str]:
    if sampler.drawn is not None and sampler.drawn.given_up:
        drawn = sampler.drawn
        yield f"drawing gave up {drawn.given_up:,} of {drawn.anchors:,} anchors, whose matches are too rare to look for"
    if sampler.negatives_drawn is not None and sampler.negatives_drawn.given_up:
        few = sampler.negatives_drawn.given_up
        yield f"random rows are the negatives of {few:,} slots: matches of {sampler.composition.negatives} are too rare"


def _warnings(size: int, relations: Sequence[RelationFacts], columns: Sequence[ColumnFacts]) -> Iterable[str]:
    for facts in relations:
        without = facts.without_cross_positive
        if without is not None and without > _FEW:
            yield f"{_percent(without)} of anchors have no positive of another sample under {facts.text}"
        for sharing in facts.sharing:
            if sharing.verdict.startswith("these positives are"):
                yield f"{facts.text}: {sharing.verdict}"
    for column in columns:
        if column.constant:
            yield f"column {column.name!r} is constant"
        if column.missing:
            yield f"column {column.name!r} is missing in {_percent(column.missing / size)} of rows"


def _relation_rows(facts: RelationFacts, steps: int) -> list[tuple[str, str]]:
    lines = [("relation", f"{facts.weight:g} × {facts.text}")]
    if facts.groups is not None:
        groups = facts.groups
        sizes = " / ".join(f"{size:g}" for size in groups.quantiles)
        lines.append(
            ("  groups", f"{groups.groups:,}, {groups.alone:,} of one sample, {groups.missing:,} rows in none")
        )
        lines.append(("  group sizes (0, 25, 50, 75, 100 %)", sizes or "none"))
    if facts.without_cross_positive is None:
        lines.append(("  cross-sample positives", "known only once the views are made"))
    else:
        on = "" if facts.measured_batches == steps else f" (in {facts.measured_batches:,} batches)"
        lines.append(("  anchors without a cross-sample positive", _percent(facts.without_cross_positive) + on))
        lines.append(("  cross-sample positives an anchor", f"{facts.cross_positives:.2f}{on}"))
    for sharing in facts.sharing:
        parts = [] if sharing.agreement is None else [f"{_percent(sharing.agreement)} agree"]
        parts.append(f"{_percent(sharing.chance)} by chance")
        parts += [] if sharing.nmi is None else [f"NMI {sharing.nmi:.2f}"]
        lines.append((f"  {sharing.role} {sharing.column}", f"{', '.join(parts)}: {sharing.verdict}"))
    return lines


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
