"""The training of one cell: the arm's rule on the fold's training rows, by the same engine as ``pretrain``."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.engine import Parts, Run, RunConfig, pretrain
from ssl_domains.engine.record.config import MethodConfig
from ssl_domains.errors import DataError, UsageError
from ssl_domains.methods import MethodSource
from ssl_domains.methods.supervised import SupervisedTraining
from ssl_domains.pairs import Composition, parse
from ssl_domains.probes import LabelDraw, label_draws
from ssl_domains.samples import SampleTable
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.cells import TUNING, Cell
from ssl_domains.studies.design.groups import Fold
from ssl_domains.studies.design.material import Material

__all__ = ["Training", "draw_of", "fold_of", "prepare", "seen_by", "train"]


@dataclass(frozen=True)
class Training:
    """What a cell trains on.

    Attributes:
        config: Of the run.
        table: Training rows, with labels hidden that the arm may not see.
        rows: Their positions in the study's table.
        method: Builds the method.
    """

    config: RunConfig
    table: SampleTable
    rows: NDArray[np.int64]
    method: MethodSource


def fold_of(material: Material, cell: Cell) -> Fold:
    """Who is trained on and who is asked."""
    return material.groups.tuning if cell.fold == TUNING else material.groups.folds[cell.fold]


def draw_of(material: Material, cell: Cell, fraction: float) -> LabelDraw:
    """The labelled rows of a cell: draw k goes with seed k, and is the same in every arm."""
    train = fold_of(material, cell).train
    return label_draws(material.labels, material.groups.codes, train, [fraction], cell.seed)[0]


def seen_by(material: Material, arm: Arm, config: RunConfig) -> tuple[SampleTable, frozenset[str]]:
    """The study's table as an arm sees it, and which of its columns the rule and the views read.

    An arm with columns of its own has them in place of the table's.
    """
    table = material.table
    read = arm.reads.union(material.recipe(table, config).columns)
    if arm.columns is None:
        return table, read
    other = material.columns[arm.columns]
    wanted = sorted(name for name in read if name in other.columns)
    joined = table.frame.select("sample").join(
        other.frame.select("sample", *wanted), on="sample", how="left", maintain_order="left"
    )
    return table.with_columns(**{name: joined[name] for name in wanted}), read


def prepare(material: Material, cell: Cell) -> Training:
    """Resolve rows, columns and configuration of a cell."""
    arm, fold = cell.arm, fold_of(material, cell)
    mask = fold.train | fold.test if material.transductive and cell.fold != TUNING else fold.train
    table, _ = seen_by(material, arm, _config(material, cell, len(material.table)))
    method, without = material.method, {}
    if cell.fraction is not None:
        draw = draw_of(material, cell, cell.fraction)
        if arm.kind == "supervised":
            mask = draw.rows
            method = SupervisedTraining(material.labels.take(mask))
            # Options of the self-supervised method mean nothing to it.
            without = {"method": MethodConfig(name=material.config.method.name)}
        else:
            # Unknown matches nobody: what is not labelled takes part with its own views alone.
            labels = table.frame.select(pl.when(pl.Series(draw.rows)).then(pl.col(material.label)).alias("label"))
            table = table.with_columns(**{material.label: labels["label"]})
    rows = np.flatnonzero(mask)
    config = _config(material, cell, len(rows)).model_copy(update=without)
    return Training(config, table.take(rows), rows, method)


def train(material: Material, cell: Cell) -> Run:
    """Train a cell, or go on with it where it was stopped.

    Raises:
        SslDomainsError: As `pretrain`, with the cell named.
        KeyboardInterrupt: After Ctrl-C, with a checkpoint.
    """
    prepared = prepare(material, cell)
    config, table = prepared.config, prepared.table
    parts = Parts(
        table=table,
        store=material.store,
        objective=parse(config.pairs.rule),
        composition=Composition(
            config.pairs.composition, config.pairs.per_group, config.pairs.compose_by, config.pairs.exponent
        ),
        recipe=material.recipe(table, config),
        scaling=material.scaling(table),
        method=prepared.method,
    )
    folder = material.out / cell.folder / "run"
    resume = bool(Run(folder).checkpoints.paths())
    try:
        try:
            return pretrain(config, parts, folder, resume=resume)
        except (UsageError, DataError):
            if not resume:
                raise
            # Left by another version of the study: nothing of it counts, as no result was kept.
            shutil.rmtree(folder)
            return pretrain(config, parts, folder)
    except (UsageError, DataError) as error:
        raise type(error)(f"{cell.title}: {error.message}", error.hint) from error


def _config(material: Material, cell: Cell, rows: int) -> RunConfig:
    values = {**cell.arm.config, **cell.point}
    values |= {
        "train.seed": cell.seed,
        "train.batch_size": max(2, min(material.config.train.batch_size, rows)),
        "train.keep": 1,
        "pairs.rule": cell.arm.rule,
    }
    if cell.arm.trained:
        # Equal updates for every arm, however many rows it has: as many epochs as that takes.
        values |= {"train.max_steps": cell.steps, "train.epochs": cell.steps}
        values["train.warmup_epochs"] = (
            0.0
            if rows < material.config.train.batch_size
            else values.get("train.warmup_epochs", material.config.train.warmup_epochs)
        )
    if cell.arm.kind == "shuffled":
        values["pairs.shuffle_metadata"] = cell.seed
    if cell.arm.kind == "random":
        values["encoder.init"] = "random"
    if cell.arm.kind == "supervised":
        values |= {"pairs.composition": "random"}
    return material.config.with_values(values)
