"""Facts of the report on pairs: what is counted of a relation, of its groups, of drawn negatives and of a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.inspection.counts import PairCounts, matches_everything
from ssl_domains.pairs.inspection.explained import RandomPairs
from ssl_domains.pairs.inspection.nuisance import FEW_GROUPS, Sharing, chance_agreement, mutual_information, verdict
from ssl_domains.pairs.inspection.whole_groups import one_value_a_group, shared_throughout
from ssl_domains.pairs.rules.algebra import Rule
from ssl_domains.pairs.sampling.batch_sampler import BatchSampler
from ssl_domains.pairs.sampling.expected import cross_positives, measurable_batches
from ssl_domains.samples import SampleTable

__all__ = [
    "ColumnFacts",
    "GroupSizes",
    "NegativeFacts",
    "RelationFacts",
    "column_facts",
    "negative_facts",
    "percent",
    "relation_facts",
]


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
        shared: Sentences about nuisance columns that all positives share, though the rule does not read them.
        shared_voxels: Mean share of the smaller sample's voxels that the two samples of a positive pair have in common;
            None where samples are no regions of arrays.
    """

    text: str
    weight: float
    groups: GroupSizes | None
    without_cross_positive: float | None
    cross_positives: float | None
    measured_batches: int
    matches_all: bool
    sharing: tuple[Sharing, ...]
    shared: tuple[str, ...] = ()
    shared_voxels: float | None = None


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
            f"{percent(self.by_rule)} by {self.rule}" + ("" if self.by_rule else ", which matches nothing possible"),
            *([f"{percent(self.by_warmup)} by the warm-up {self.warmup}"] if self.warmup is not None else []),
            f"{percent(self.random)} random rows",
            *([f"{percent(self.repeated)} repeated"] if self.repeated else []),
        ]
        return f"{self.of_slot} a slot: {'; '.join(parts)}"


def negative_facts(sampler: BatchSampler) -> NegativeFacts | None:
    """How the negatives of the last planned epoch were drawn; None for a composition without any."""
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


def cross_positives_of(
    bound: BoundObjective, r: int, plan: NDArray[np.int64], anchors: int
) -> NDArray[np.int64] | None:
    """The positives of other samples that each anchor has in a relation, in the batches that are counted.

    Args:
        bound: The objective over the training rows.
        r: Number of the relation.
        plan: int64 ``[steps, slots]``, the batches of an epoch.
        anchors: Slots of a batch that are anchors; they come first.

    Returns:
        int64 ``[batches, anchors]``; None when the rule reads numbers that views emit.
    """
    relation = bound.relations[r]
    if relation.rule.reads_emitted:
        return None
    return cross_positives(relation, plan[: measurable_batches(relation, plan)])[:, :anchors]


def relation_facts(
    bound: BoundObjective,
    r: int,
    met: NDArray[np.int64] | None,
    plan: NDArray[np.int64],
    counts: PairCounts,
    roles: Mapping[str, str],
    columns: Mapping[str, NDArray[np.int64]],
    rule: Rule,
    numbers: Mapping[str, NDArray[np.float64]] | None = None,
) -> RelationFacts:
    """The facts of one relation.

    Args:
        bound: The objective over the training rows.
        r: Number of the relation.
        met: What `cross_positives_of` gives.
        plan: int64 ``[steps, slots]``, the batches of an epoch.
        counts: Counted pairs of the epoch.
        roles: Role of each column, such as ``"label"``, by name.
        columns: Codes ``[n]`` of these columns; negative where missing.
        rule: The rule of the relation, unbound.
        numbers: Values ``[n]`` of the nuisance columns that hold numbers, by name; NaN where missing.
    """
    relation = bound.relations[r]
    drawn = RandomPairs(relation.rule)
    sharing = []
    for name, codes in columns.items():
        positive, equal = counts.positive_equal[r][name], counts.equal[name]
        agreement = positive / counts.positive_known[r][name] if counts.positive_known[r][name] else None
        recall = positive / equal if equal else None
        chance = chance_agreement(codes)
        nmi = None if relation.codes is None else mutual_information(relation.codes, codes)
        groups = counts.positive_groups(r, name)
        # What the rule itself compares is no finding of these rows: it holds however few groups there are. Nor can
        # groups agree by accident in what varies within each of them.
        enough = name in rule.equal_columns or counts.positive_units(r, name, codes) >= FEW_GROUPS
        judged = None if roles[name] == "label" or enough else groups
        explained = None if numbers is None or name not in numbers else drawn.explained_by(numbers[name])
        # A patient's age is one value a group: few groups can agree by accident. A depth varies within each survey.
        certain = name in rule.columns or groups >= FEW_GROUPS or not one_value_a_group(counts.groups, codes)
        words = verdict(name, roles[name], agreement, chance, recall, judged, explained if certain else None)
        if codes.max(initial=-1) < 0:
            words = "missing throughout"
        sharing.append(Sharing(name, roles[name], agreement, chance, recall, nmi, words, groups, explained))
    return RelationFacts(
        text=relation.text,
        weight=relation.weight,
        groups=None if relation.codes is None else _group_sizes(relation.codes),
        without_cross_positive=None if met is None else float((met == 0).mean()),
        cross_positives=None if met is None else float(met.mean()),
        measured_batches=measurable_batches(relation, plan),
        matches_all=matches_everything(bound, r),
        sharing=tuple(sharing),
        shared=tuple(shared_throughout(rule, relation, sharing, columns)),
        shared_voxels=counts.shared_voxels[r].mean if counts.shared_voxels else None,
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


def column_facts(table: SampleTable, name: str) -> ColumnFacts:
    """The facts of a column of the table; a member of a list counts once a row."""
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


def percent(share: float) -> str:
    """A share from 0 to 1 in percent, for a sentence."""
    return f"{100 * share:.1f} %"
