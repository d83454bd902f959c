"""The list of cells of a study, and an estimate of how long they take."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ssl_domains.engine import PairPlan, plan_pairs, rehearse
from ssl_domains.engine.loop.parts import Parts
from ssl_domains.pairs import Composition, Computed, parse
from ssl_domains.pairs.sampling.seats import reads
from ssl_domains.studies.design.arms import EQUAL_EFFORT, Arm
from ssl_domains.studies.design.cells import TUNING, TUNING_SEED, Cell, tuning_of
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.threads import torch_threads
from ssl_domains.studies.design.training import arm_table
from ssl_domains.views import emitted_names, replaced_names

__all__ = ["StudyPlan", "estimate_seconds", "pairs_of", "pin_composition", "reference_steps"]

_PER_ROW = 1 / 2000
"""Rough seconds to embed one row, or to fit a probe on it; used only for the estimate."""
_PER_HEAD_STEP = 1 / 100
"""Seconds of one update of a dense head."""


@dataclass(frozen=True)
class StudyPlan:
    """The cells of a study, in the order in which they run.

    Attributes:
        arms: All arms.
        seeds: The reported seeds.
        fractions: Shares of labelled groups.
        grid: Grid points from which every trained arm chooses one; without a grid, one empty point.
        primary_fraction: Share of labelled groups at which arms that read labels choose their grid point.
        label: Name of the probed column.
        folds: Number of folds.
        steps: Updates of a training.
        tuned_by_fold: Whether each fold chooses its own grid points; see `GroupPlan.tuning`.
    """

    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    fractions: tuple[float, ...]
    grid: tuple[Mapping[str, Any], ...]
    primary_fraction: float
    label: str
    folds: int
    steps: int
    tuned_by_fold: bool = False

    def tuning(self, arm: Arm) -> list[Cell]:
        """One cell for each grid point of an arm, or for each in each fold; empty when there is nothing to choose."""
        if not arm.trained or len(self.grid) < 2:
            return []
        fraction = self.primary_fraction if arm.reads_label(self.label) else None
        numbers = [tuning_of(fold) for fold in range(self.folds)] if self.tuned_by_fold else [TUNING]
        return [
            Cell(arm, number, TUNING_SEED, fraction, point, self.steps) for number in numbers for point in self.grid
        ]

    def cells(self, arm: Arm, fold: int, seed: int, point: Mapping[str, Any]) -> list[Cell]:
        """The trainings of an arm: one; or one for each fraction when the training reads labels."""
        fractions: Sequence[float | None] = self.fractions if arm.reads_label(self.label) else (None,)
        return [Cell(arm, fold, seed, fraction, point, self.steps) for fraction in fractions]

    def measured_at(self, cell: Cell) -> tuple[float, ...]:
        """Shares of labelled groups at which a cell is probed."""
        if cell.chooses:
            return (self.primary_fraction if cell.fraction is not None else 1.0,)
        return self.fractions if cell.fraction is None else (cell.fraction,)

    def places(self) -> Iterator[tuple[Arm, int, int]]:
        """(arm, fold, seed) in running order: all arms of a fold together, so that early results can be compared."""
        for seed in self.seeds:
            for fold in range(self.folds):
                for arm in self.arms:
                    yield arm, fold, seed

    def count(self) -> int:
        """Number of all cells, those that choose grid points included."""
        tuning = sum(len(self.tuning(arm)) for arm in self.arms)
        return tuning + sum(len(self.cells(arm, fold, seed, {})) for arm, fold, seed in self.places())


def reference_steps(material: Material) -> int:
    """Updates of every training: the configured epochs, counted on the fold with the fewest training rows."""
    config = material.config.train
    rows = min(int(fold.train.sum()) for fold in material.groups.folds)
    per_epoch = material.config.pairs.epoch_steps or math.ceil(rows / min(config.batch_size, rows))
    steps = config.epochs * per_epoch
    return steps if config.max_steps is None else min(steps, config.max_steps)


def pairs_of(material: Material, arm: Arm) -> PairPlan:
    """Pairs and batches of an arm on the training rows of the first fold."""
    config = material.config_of(arm).with_values({**arm.config, "pairs.rule": arm.rule})
    table = arm_table(material, arm, config)[0].take(material.groups.folds[0].train)
    config = config.with_values({"train.batch_size": min(config.train.batch_size, len(table))})
    recipe, composition = material.recipe(table, config), config.pairs.to_composition()
    # A name that is no file is an edge table that the method will compute, and that has no edges yet.
    names = tuple(name for name in reads(composition, table)[1] if not Path(name).suffix)
    computed = Computed.nothing(len(table), edges=names) if names else None
    return plan_pairs(
        config, table, parse(arm.rule), composition, emitted=emitted_names(recipe), replaced=replaced_names(recipe),
        computed=computed,
    )  # fmt: skip


def pin_composition(material: Material, arm: Arm) -> Arm:
    """Replace the composition ``auto`` of an arm by the one that it stands for on the first fold.

    The controls of the arm then get the same batches: on shuffled columns, or without relations, ``auto`` could choose
    another composition.
    """
    if arm.rule == "none" or material.config_of(arm).with_values(dict(arm.config)).pairs.composition != "auto":
        return arm
    chosen = pairs_of(material, arm).sampler.composition.kind
    return replace(arm, config={**arm.config, "pairs.composition": chosen})


def estimate_seconds(material: Material, plan: StudyPlan) -> float:
    """Rough wall-clock seconds of the study with one cell at a time.

    The time of an update is measured on a few steps of SimCLR on the first fold; the time of a probe is estimated from
    its number of rows.
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
    """Measured seconds of one SimCLR update on one thread, as cells train."""
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
        **material.how_inputs_are_made(table, config),
        method=material.method,
    )
    with torch_threads(1):
        return rehearse(config, parts).seconds_per_step


def _measuring(material: Material, plan: StudyPlan, cell: Cell, step: float) -> float:
    """Estimated seconds of a cell's probes: every row is embedded once, then fitted by each probe."""
    fractions = plan.measured_at(cell)
    nuisance = 0 if cell.chooses else len(material.nuisance)
    seconds = float(np.sum(material.labels.known)) * _PER_ROW * (1 + sum(fractions) + nuisance)
    if "finetune" in material.probes and not cell.chooses and (cell.arm.finetuned or cell.arm.kind == "scratch"):
        settings, train = material.finetune, material.config.train
        count = sum(fraction in (settings.fractions or material.fractions) for fraction in fractions)
        views = settings.steps * settings.batch + (
            plan.steps * train.batch_size * 2 if cell.arm.name == EQUAL_EFFORT else 0
        )
        seconds += count * step * views / (2 * train.batch_size)  # a step of SimCLR has two views of each sample
    if "transcripts" in material.probes and cell.arm.embeds and cell.arm.kind not in ("scratch", "supervised"):
        heads = 1 + (2 * len(material.transcripts.lr) if len(material.transcripts.lr) > 1 else 0)
        seconds += len(material.table) * _PER_ROW
        seconds += len(fractions) * material.transcripts.steps * heads * _PER_HEAD_STEP
    if "dense" in material.probes and cell.arm.embeds and cell.arm.kind != "scratch":
        if cell.arm.kind == "supervised":
            return seconds + step * plan.steps * len(fractions)
        heads = 1 if len(material.dense.lr) == 1 else 4 * len(material.dense.lr)
        seconds += len(material.table) * _PER_ROW + len(fractions) * material.dense.steps * heads * _PER_HEAD_STEP
    return seconds
