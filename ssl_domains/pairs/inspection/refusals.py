"""Refusals: why pairs must not be trained on, each with a hint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ssl_domains.pairs.binding.bound_rule import BoundRelation
from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.inspection.coverage import Coverage
from ssl_domains.pairs.inspection.facts import ColumnFacts, RelationFacts
from ssl_domains.pairs.rules.objective import Objective
from ssl_domains.pairs.sampling.batch_sampler import BatchSampler
from ssl_domains.pairs.sampling.random_batches import match_counts

__all__ = ["matches_within_a_sample", "nearly_simclr", "refusals"]


def refusals(
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
    if relations and not _matches_within_samples(bound) and all(facts.cross_positives == 0 for facts in relations):
        counted = relations[0].measured_batches
        yield (
            f"no anchor has a positive of another sample in the {counted:,} planned batches: this equals SimCLR",
            _cure(bound),
        )


def _cure(bound: BoundObjective) -> str:
    """How to get positives of other samples into the batches; another composition helps only where rows match."""
    simclr = "for plain SimCLR give no rule"
    if not match_counts(bound, 0)[0].any():
        return f"no sample of the table matches another: check the rule's columns; {simclr}"
    kind = "draw" if bound.relations[0].codes is None else "groups"
    return f"compose batches by the rule: --set pairs.composition={kind}; {simclr}"


def nearly_simclr(
    bound: BoundObjective, coverage: Coverage | None, sampler: BatchSampler, columns: Sequence[ColumnFacts]
) -> tuple[str, str] | None:
    """Why these pairs equal SimCLR in practice, with a hint; None where they don't."""
    if coverage is None or not coverage.equals_simclr or _matches_within_samples(bound):
        return None
    missing = sorted((column for column in columns if column.missing), key=lambda column: -column.missing)
    return coverage.sentence, coverage.cure(bound, sampler, [column.name for column in missing])


def _matches_within_samples(bound: BoundObjective) -> bool:
    return any(matches_within_a_sample(relation, bound.size) for relation in bound.relations)


def matches_within_a_sample(relation: BoundRelation, size: int) -> bool:
    """Whether rows of one sample can be positives: by numbers that views emit, or in different parts."""
    if relation.rule.reads_emitted:
        return True
    rows = np.arange(size)
    return relation.across_parts and bool(relation.rule.matches_pairwise(rows, rows).any())
