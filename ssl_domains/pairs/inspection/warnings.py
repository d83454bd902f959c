"""Warnings of the report on pairs: what the user should check before training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ssl_domains.pairs.inspection.facts import ColumnFacts, RelationFacts, percent
from ssl_domains.pairs.inspection.shared_voxels import DISGUISE
from ssl_domains.pairs.sampling.batch_sampler import BatchSampler

__all__ = ["given_up_draws", "identifying_label", "relation_warnings"]

_FEW = 0.5  # share of anchors without a positive of another sample above which a relation is warned of


def identifying_label(label: str) -> str:
    """A warning of a label whose values are nearly all of one patient or one sample."""
    return f"label {label!r} looks like an identifier: nearly each of its values is one patient's or one sample's alone"


def given_up_draws(sampler: BatchSampler) -> Iterable[str]:
    """Warnings of anchors and slots for which drawing gave up."""
    if sampler.drawn is not None and sampler.drawn.given_up:
        drawn = sampler.drawn
        yield f"drawing gave up {drawn.given_up:,} of {drawn.anchors:,} anchors, whose matches are too rare to look for"
    if sampler.negatives_drawn is not None and sampler.negatives_drawn.given_up:
        few = sampler.negatives_drawn.given_up
        yield f"random rows are the negatives of {few:,} slots: matches of {sampler.composition.negatives} are too rare"


def relation_warnings(
    size: int, relations: Sequence[RelationFacts], columns: Sequence[ColumnFacts], few: Sequence[bool]
) -> Iterable[str]:
    """Warnings of relations and columns.

    Args:
        size: Rows of the table.
        relations: Facts of the relations.
        columns: Facts of the columns that the objective reads.
        few: For each relation, whether it is named here when few anchors have a positive of another sample: no refusal
            names it, and rows of one sample are no positives by it.
    """
    for facts, named in zip(relations, few, strict=True):
        without = facts.without_cross_positive
        if named and without is not None and without > _FEW:
            yield f"{percent(without)} of anchors have no positive of another sample under {facts.text}"
        if facts.shared_voxels is not None and facts.shared_voxels > DISGUISE:
            yield (
                f"positives of {facts.text} share {percent(facts.shared_voxels)} of the smaller sample's voxels: "
                "augmentation in disguise, the two are crops of one place"
            )
        for sharing in facts.sharing:
            if sharing.verdict.startswith("these positives are"):
                yield f"{facts.text}: {sharing.verdict}"
        yield from facts.shared
    for column in columns:
        if column.constant:
            yield f"column {column.name!r} is constant"
        if column.missing:
            yield f"column {column.name!r} is missing in {percent(column.missing / size)} of rows"
