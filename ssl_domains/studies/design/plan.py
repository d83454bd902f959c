"""Which cells a study is made of, and how long they will take."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ssl_domains.engine import PairPlan, plan_pairs, rehearse
from ssl_domains.engine.loop.assembly import Parts
from ssl_domains.pairs import Composition, parse
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.cells import TUNING, TUNING_SEED, Cell
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.threads import torch_threads
from ssl_domains.studies.design.training import seen_by

__all__ = ["StudyPlan", "estimate_seconds", "pairs_of", "pin_composition", "reference_steps"]

_PER_ROW = 1 / 2000
"""Seconds a row takes to be embedded, or fitted by a probe, by and large; only for the estimate."""
_PER_HEAD_STEP = 1 / 100
"""Seconds of one update of a dense head."""


@dataclass(frozen=True)
class StudyPlan:
    """The cells of a study, in the order in which they run.

    Attributes:
        arms: The whole table.
        seeds: The reported seeds.
        fractions: Shares of labelled groups.
        grid: Points that every trained arm chooses from; one empty point without a grid.
        primary_fraction: At which arms that see labels choose.
        label: The probed column.
        folds: Number of folds.
        steps: Updates of a training.
    """

    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    fractions: tuple[float, ...]
    grid: tuple[Mapping[str, Any], ...]
    primary_fraction: float
    label: str
    folds: int
    steps: int

    def tuning(self, arm: Arm) -> list[Cell]:
        """The cells among which an arm chooses; none when there is nothing to choose."""
        if not arm.trained or len(self.grid) < 2:
            return []
        fraction = self.primary_fraction if arm.reads_label(self.label) else None
        return [Cell(arm, TUNING, TUNING_SEED, fraction, point, self.steps) for point in self.grid]

    def cells(self, arm: Arm, fold: int, seed: int, point: Mapping[str, Any]) -> list[Cell]:
        """The trainings of an arm: one, or one a fraction where training itself sees labels."""
        seen: Sequence[float | None] = self.fractions if arm.reads_label(self.label) else (None,)
        return [Cell(arm, fold, seed, fraction, point, self.steps) for fraction in seen]

    def measured_at(self, cell: Cell) -> tuple[float, ...]:
        """Fractions of labels at which a cell is probed."""
        if cell.fold == TUNING:
            return (self.primary_fraction if cell.fraction is not None else 1.0,)
        return self.fractions if cell.fraction is None else (cell.fraction,)

    def places(self) -> Iterator[tuple[Arm, int, int]]:
        """(arm, fold, seed) in an order that gives whole comparisons early: seed by seed, fold by fold."""
        for seed in self.seeds:
            for fold in range(self.folds):
                for arm in self.arms:
                    yield arm, fold, seed

    def count(self) -> int:
        """All cells, the choosing ones included."""
        chosen = sum(len(self.tuning(arm)) for arm in self.arms)
        return chosen + sum(len(self.cells(arm, fold, seed, {})) for arm, fold, seed in self.places())


def reference_steps(material: Material) -> int:
    """Updates of a training: the epochs of the configuration over the smallest training side of a fold."""
    config = material.config.train
    rows = min(int(fold.train.sum()) for fold in material.groups.folds)
    steps = config.epochs * math.ceil(rows / min(config.batch_size, rows))
    return steps if config.max_steps is None else min(steps, config.max_steps)


def pairs_of(material: Material, arm: Arm) -> PairPlan:
    """An arm's pairs and batches on the first fold's training rows."""
    config = material.config.with_values({**arm.config, "pairs.rule": arm.rule})
    table = seen_by(material, arm, config)[0].take(material.groups.folds[0].train)
    config = config.with_values({"train.batch_size": min(config.train.batch_size, len(table))})
    pairs = config.pairs
    composition = Composition(pairs.composition, pairs.per_group, pairs.compose_by, pairs.exponent)
    return plan_pairs(config, table, parse(arm.rule), composition, emitted=material.recipe(table, config).emitted)


def pin_composition(material: Material, arm: Arm) -> Arm:
    """The arm with the composition that ``auto`` chooses for its rule on the first fold.

    So that its controls get the very same batches: on shuffled columns, or without relations, ``auto`` might choose
    another one.
    """
    if arm.rule == "none" or material.config.with_values(dict(arm.config)).pairs.composition != "auto":
        return arm
    chosen = pairs_of(material, arm).sampler.composition.kind
    return replace(arm, config={**arm.config, "pairs.composition": chosen})


def estimate_seconds(material: Material, plan: StudyPlan) -> float:
    """Seconds that the study will take on one process, from a few steps of SimCLR on the first fold.

    Probes are estimated by the rows they look at; both are rough, and later told better by the cells that are done.
    """
    step = _seconds_per_step(material, plan)
    places = plan.folds * len(plan.seeds)
    total = 0.0
    for arm in plan.arms:
        tuned, cells = plan.tuning(arm), plan.cells(arm, 0, 0, {})
        measured = sum(_measuring(material, plan, cell, step) for cell in tuned)
        measured += places * sum(_measuring(material, plan, cell, step) for cell in cells)
        trained = len(tuned) + places * len(cells) if arm.trained else 0
        total += trained * step * plan.steps + measured
    return total


def _seconds_per_step(material: Material, plan: StudyPlan) -> float:
    """On one thread, as a cell trains."""
    train = material.groups.folds[0].train
    table = material.table.take(train)
    simclr = next(arm for arm in plan.arms if arm.kind == "simclr")
    batch = min(material.config.train.batch_size, len(table))
    config = material.config.with_values({**simclr.config, "train.batch_size": batch, "train.max_steps": 5})
    parts = Parts(
        table=table,
        store=material.store,
        objective=parse("none"),
        composition=Composition("random"),
        recipe=material.recipe(table, config),
        scaling=material.scaling(table),
        method=material.method,
    )
    with torch_threads(1):
        return rehearse(config, parts).seconds_per_step


def _measuring(material: Material, plan: StudyPlan, cell: Cell, step: float) -> float:
    """Seconds of a cell's probes: every row is embedded, then fitted once a probe."""
    fractions = plan.measured_at(cell)
    nuisance = 0 if cell.fold == TUNING else len(material.nuisance)
    seconds = float(np.sum(material.labels.known)) * _PER_ROW * (1 + sum(fractions) + nuisance)
    if "dense" in material.probes and cell.arm.embeds:
        if cell.arm.kind == "supervised":
            return seconds + step * plan.steps * len(fractions)
        heads = 1 if len(material.dense.lr) == 1 else 4 * len(material.dense.lr)
        seconds += len(material.table) * _PER_ROW + len(fractions) * material.dense.steps * heads * _PER_HEAD_STEP
    return seconds
