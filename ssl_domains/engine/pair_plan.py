"""The pairs of a run: the rule bound to the training rows, with the two controls that need the same binding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ssl_domains.engine.config import RunConfig
from ssl_domains.errors import UsageError
from ssl_domains.pairs import BatchSampler, BoundObjective, Composition, Objective, PairsReport, Rule, inspect_pairs
from ssl_domains.samples import SampleTable
from ssl_domains.samples.split import shuffle_columns

__all__ = ["PairPlan", "plan_pairs"]


@dataclass(frozen=True)
class PairPlan:
    """What batches are composed by, and what the loss takes as positives.

    Attributes:
        objective: The rule as given.
        table: The training rows; with ``pairs.shuffle_metadata``, the rule's columns are permuted in it.
        fitted: Bin edges fitted on these rows, or those of the run that is resumed.
        composed_by: The objective that batches are composed by.
        scored_by: The objective of the loss; own views only with ``pairs.relations = "none"``.
        sampler: The batches.
    """

    objective: Objective
    table: SampleTable
    fitted: dict[str, list[float]]
    composed_by: BoundObjective
    scored_by: BoundObjective
    sampler: BatchSampler

    def inspect(self, label: str | None = None, nuisance: Sequence[str] = ()) -> PairsReport:
        """What the ``pairs`` command says of these pairs; ``report.check()`` refuses what must not be trained on."""
        return inspect_pairs(
            self.table,
            self.objective,
            self.composed_by,
            self.sampler,
            label=label,
            nuisance=nuisance,
            fitted=self.fitted,
        )


def plan_pairs(
    config: RunConfig,
    table: SampleTable,
    objective: Objective | Rule,
    composition: Composition,
    *,
    fitted: Mapping[str, Sequence[float]] | None = None,
    emitted: Sequence[str] = (),
) -> PairPlan:
    """Bind an objective to the training rows.

    Args:
        config: Its ``pairs``, ``train.batch_size`` and ``train.seed`` are read.
        table: The training rows, decodable ones only.
        objective: The rule.
        composition: How batches are composed.
        fitted: Edges of a run that is resumed; None fits them on ``table``.
        emitted: Names of numbers that the views emit.

    Raises:
        UsageError: When a column is missing or of the wrong type, or a batch is larger than the training set.
    """
    if isinstance(objective, Rule):
        objective = 1 * objective
    batch_size = config.train.batch_size
    if batch_size > len(table):
        message = f"train.batch_size is {batch_size}, but there are only {len(table)} training samples"
        raise UsageError(message, f"use --set train.batch_size={max(2, len(table))} or less")
    if config.pairs.shuffle_metadata is not None:
        shuffled = sorted(name for name in objective.columns if name in table.columns)
        if not shuffled:
            raise UsageError("pairs.shuffle_metadata needs a rule that reads columns", "give --pairs or --rule")
        table = shuffle_columns(table, shuffled, config.pairs.shuffle_metadata)
    edges = objective.fit(table) if fitted is None else {key: list(values) for key, values in fitted.items()}
    composed_by = objective.bind(table, edges, emitted=emitted)
    scored_by = Objective().bind(table) if config.pairs.relations == "none" else composed_by
    sampler = BatchSampler(composed_by, composition, batch_size, seed=config.train.seed)
    return PairPlan(objective, table, edges, composed_by, scored_by, sampler)
