"""The report on pairs before training: what a rule matches, and what must not be trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ssl_domains.errors import DataError
from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.inspection.counts import count_pairs
from ssl_domains.pairs.inspection.coverage import Coverage, coverage_of
from ssl_domains.pairs.inspection.emptied_bins import emptied_bins
from ssl_domains.pairs.inspection.facts import (
    ColumnFacts,
    GroupSizes,
    NegativeFacts,
    RelationFacts,
    column_facts,
    cross_positives_of,
    negative_facts,
    percent,
    relation_facts,
)
from ssl_domains.pairs.inspection.nuisance import LABEL_REMARK, comparable_codes
from ssl_domains.pairs.inspection.refusals import matches_within_a_sample, nearly_simclr, refusals
from ssl_domains.pairs.inspection.warnings import given_up_draws, identifying_label, relation_warnings
from ssl_domains.pairs.rules.algebra import Rule
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.pairs.sampling.batch_sampler import BatchSampler
from ssl_domains.quantities import plural
from ssl_domains.samples import Regions, SampleTable, looks_identifying, regions_of

__all__ = ["ColumnFacts", "GroupSizes", "NegativeFacts", "PairsReport", "RelationFacts", "inspect_pairs"]


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
        coverage: Anchors without a positive of another sample in any relation; None without relations, where only the
            views tell, and in a report of an earlier version.
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
    coverage: Coverage | None = None

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
            lines.append(("expected false negatives", f"{percent(self.false_negatives)} of negatives, {an_anchor}"))
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
    group: str | None = None,
    anyway: bool = False,
    regions: Regions | None = None,
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
        group: Column of the groups that count as independent, such as the patient: a nuisance is judged by how many of
            them it was measured with. None counts each row as a group.
        anyway: Warn, instead of refusing, where so many anchors have no positive of another sample that training equals
            SimCLR in practice. Pairs without any such positive stay refused.
        regions: The region of each row, by which the voxels that positives share are counted; None takes those of the
            table, to which every array is a place of its own.

    Returns:
        The report; call `PairsReport.check` to refuse pairs that must not be trained on.

    Raises:
        UsageError: When a column is missing.
    """
    objective = Objective.of(objective)
    plan = sampler.plan(0)
    roles = {} if label is None else {label: "label"}
    roles |= {name: "nuisance" for name in nuisance if name != label}
    codes = {name: comparable_codes(table, name) for name in roles}
    anchors = sampler.composition.anchor_seats * sampler.batch_size
    placed = None if regions is not None else regions_of([table])
    regions = placed[0] if placed is not None else regions
    counts = count_pairs(bound, plan, codes, anchors, None if group is None else table.codes(group), regions)
    numbers = {name: table.numbers(name) for name, role in roles.items()
               if role == "nuisance" and table.column(name).dtype.is_numeric()}  # fmt: skip
    met = [cross_positives_of(bound, r, plan, anchors) for r in range(len(objective.relations))]
    relations = tuple(
        relation_facts(bound, r, met[r], plan, counts, roles, codes, relation.rule, numbers)
        for r, relation in enumerate(objective.relations)
    )
    coverage = coverage_of(bound, met)
    columns = tuple(column_facts(table, name) for name in sorted(objective.columns) if name in table.columns)
    refused = list(refusals(objective, bound, relations, columns))
    nearly = None if refused else nearly_simclr(bound, coverage, sampler, columns)
    refused += [] if nearly is None or anyway else [nearly]
    named = len(relations) > 1 or nearly is None
    few = [named and not matches_within_a_sample(bound.relations[r], bound.size) for r in range(len(relations))]
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
            *([f"{nearly[0]}; trained all the same (pairs.anyway)"] if nearly is not None and anyway else []),
            *given_up_draws(sampler),
            *([f"label {label!r} is missing throughout"] if label_missing else []),
            *([identifying_label(label)] if label is not None and looks_identifying(table, label) else []),
            *relation_warnings(len(table), relations, columns, few),
            *emptied_bins((key for rule in objective.rules for key in rule.bins), table, fitted),
        ],
        hints=[hint for _, hint in refused],
        label_missing=label_missing,
        seeds=sampler.n_seeds,
        left_out=sampler.seats.left_out,
        seats=sampler.composition.seats,
        negatives=negative_facts(sampler),
        coverage=coverage,
    )


def _groups_in_words(groups: GroupSizes) -> str:
    parts = [f"{groups.groups:,}"]
    parts += [f"{groups.alone:,} of one sample"] if groups.alone else []
    if groups.missing:
        parts.append(f"{plural(groups.missing, 'row')} in no group")
    elif groups.groups:
        parts.append("every row in one")
    return ", ".join(parts)


def _relation_rows(facts: RelationFacts, steps: int) -> list[tuple[str, str]]:
    lines = [("relation", f"{facts.weight:g} × {facts.text}")]
    if facts.groups is not None:
        groups = facts.groups
        sizes = " / ".join(f"{size:g}" for size in groups.quantiles)
        lines.append(("  groups", _groups_in_words(groups)))
        lines.append(("  group sizes (0, 25, 50, 75, 100 %)", sizes or "none"))
    if facts.without_cross_positive is None:
        lines.append(("  cross-sample positives", "known only once the views are made"))
    else:
        on = "" if facts.measured_batches == steps else f" (in {facts.measured_batches:,} batches)"
        lines.append(("  anchors without a cross-sample positive", percent(facts.without_cross_positive) + on))
        lines.append(("  cross-sample positives an anchor", f"{facts.cross_positives:.2f}{on}"))
    if facts.shared_voxels is not None:
        lines.append(
            ("  voxels that positives share", f"{percent(facts.shared_voxels)} of the smaller sample, on average")
        )
    for sharing in facts.sharing:
        parts = [] if sharing.agreement is None else [f"{percent(sharing.agreement)} agree"]
        parts.append(f"{percent(sharing.chance)} by chance")
        parts += [] if sharing.nmi is None else [f"NMI {sharing.nmi:.2f}"]
        parts += [] if sharing.explained is None else [f"distance explains {percent(sharing.explained)}"]
        remark = f" ({LABEL_REMARK})" if sharing.role == "label" and sharing.agreement is not None else ""
        lines.append((f"  {sharing.role} {sharing.column}", f"{', '.join(parts)}: {sharing.verdict}{remark}"))
    return lines
