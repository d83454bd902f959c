"""Train one cell: the rule of its arm on the training rows of its fold, with the engine of ``pretrain``."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.engine import Parts, Run, RunConfig, pretrain
from ssl_domains.engine.record.checkpoint import OtherConfigError, OtherSamplesError
from ssl_domains.engine.record.config import MethodConfig
from ssl_domains.engine.record.config_file import with_method_options
from ssl_domains.errors import DataError, SslDomainsError
from ssl_domains.finetuning import FineTuneParts, finetune
from ssl_domains.methods import MethodSource
from ssl_domains.pairs import Composition, parse
from ssl_domains.probes import LabelDraw, Labels, label_draws
from ssl_domains.probes.transcripts import Alphabet, Transcripts
from ssl_domains.samples import SampleTable
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.cells import Cell
from ssl_domains.studies.design.fold import Fold
from ssl_domains.studies.design.material import Material
from ssl_domains.views import crop_of

FROM_SCRATCH = {"method.layers": "all", "method.batch_norm": "trained", "method.head_start": "fresh"}
"""Options with which fine-tuning trains from random weights."""

_MEMBER_SEEDS = 1_000_000
"""Difference between the seeds of two members of an arm; no reported cell has such a seed."""

__all__ = ["Training", "arm_table", "draw_of", "fold_of", "prepare", "train", "trained_transcripts"]


@dataclass(frozen=True)
class Training:
    """Rows, configuration and method of a cell's training.

    Attributes:
        config: Configuration of the run.
        table: Training rows; labels that the arm may not read are missing.
        rows: Positions of these rows in the table of the study.
        method: Builds the method.
        labels: Labels of the rows, for the supervised arm; None for the others.
    """

    config: RunConfig
    table: SampleTable
    rows: NDArray[np.int64]
    method: MethodSource
    labels: Labels | None = None


def fold_of(material: Material, cell: Cell) -> Fold:
    """Training and test rows of a cell."""
    return material.groups.fold(cell.fold)


def draw_of(material: Material, cell: Cell, fraction: float) -> LabelDraw:
    """The labelled training rows of a cell; its seed is the number of the draw, so that all arms get the same rows."""
    train = fold_of(material, cell).train & (material.groups.codes >= 0)
    return label_draws(material.labels, material.groups.codes, train, [fraction], cell.seed)[0]


def trained_transcripts(material: Material, cell: Cell) -> Transcripts:
    """The transcripts of all rows, with the alphabet of the training rows of a cell's fold.

    Test rows may have characters outside it: no arm can write them.
    """
    assert isinstance(material.labels, Transcripts)
    train = fold_of(material, cell).train & material.labels.known
    texts = [material.labels.texts[row] or "" for row in np.flatnonzero(train).tolist()]
    return material.labels.with_alphabet(Alphabet.of(texts, material.labels.alphabet.form))


def arm_table(material: Material, arm: Arm, config: RunConfig) -> tuple[SampleTable, frozenset[str]]:
    """The table that an arm trains on, and the names of the columns that its rule and its views read.

    For an arm with ``columns``, those columns come from that other table, joined by ``sample``.
    """
    table = material.table
    recipe = material.recipe(table, config)
    crop = crop_of(recipe)
    read = arm.reads.union(recipe.columns, () if crop is None else crop.columns)
    if arm.columns is None:
        return table, read
    other = material.columns[arm.columns]
    wanted = sorted(name for name in read if name in other.columns)
    joined = table.frame.select("sample").join(
        other.frame.select("sample", *wanted), on="sample", how="left", maintain_order="left"
    )
    return table.with_columns(**{name: joined[name] for name in wanted}), read


def prepare(material: Material, cell: Cell, member: int = 0) -> Training:
    """Choose rows, columns, configuration and method of a cell, or of one of its members."""
    arm, fold = cell.arm, fold_of(material, cell)
    mask = fold.train | fold.test if material.transductive and not cell.chooses else fold.train
    table, _ = arm_table(material, arm, _config(material, cell, len(material.table)))
    labels: Labels | None = None
    if cell.fraction is not None:
        draw = draw_of(material, cell, cell.fraction)
        if arm.kind == "supervised":
            mask = draw.rows
            of_texts = isinstance(material.labels, Transcripts)
            labels = (trained_transcripts(material, cell) if of_texts else material.labels).take(mask)
        else:
            # A missing value matches no other row: rows without a label have only their own views as positives.
            known = table.frame.select(pl.when(pl.Series(draw.rows)).then(pl.col(material.label)).alias("label"))
            table = table.with_columns(**{material.label: known["label"]})
    rows = np.flatnonzero(mask)
    config = _config(material, cell, len(rows)).with_values({"train.seed": cell.seed + _MEMBER_SEEDS * member})
    if labels is not None:
        # The options of the self-supervised method do not apply to supervised training.
        config = config.model_copy(update={"method": MethodConfig(name="finetune")}).with_values(FROM_SCRATCH)
    return Training(config, table.take(rows), rows, material.method_of(arm), labels)


def train(material: Material, cell: Cell, member: int = 0) -> Run:
    """Train a cell, or resume its training from the last checkpoint.

    Args:
        material: What all cells share.
        cell: The cell.
        member: Which of its trainings, for an arm of several.

    Raises:
        SslDomainsError: The errors of `pretrain`, with the title of the cell. Only a checkpoint of another
            configuration or of other samples is deleted, and the cell trained anew.
        KeyboardInterrupt: After Ctrl-C; a checkpoint was written.
    """
    prepared = prepare(material, cell, member)
    folder = material.out / cell.folder / (f"run{member}" if member else "run")
    resume = bool(Run(folder).checkpoints.paths())
    try:
        try:
            return _train(material, prepared, folder, resume)
        except (OtherConfigError, OtherSamplesError):
            # The checkpoint is of another version of the study and has no result: start again.
            shutil.rmtree(folder)
            return _train(material, prepared, folder, False)
    except SslDomainsError as error:
        hint = error.hint
        if resume and isinstance(error, DataError):
            hint = f"the same command trains this cell anew once {str(folder)!r} is deleted"
        raise type(error)(f"{cell.title}: {error.message}", hint) from error


def _train(material: Material, prepared: Training, folder: Path, resume: bool) -> Run:
    """Train from the start, or from the last checkpoint."""
    config, table = prepared.config, prepared.table
    recipe, inputs = material.recipe(table, config), material.how_inputs_are_made(table, config)
    if prepared.labels is not None:
        start = None if config.encoder.init == "random" else config.encoder.init
        labelled = FineTuneParts(
            table, material.store, recipe, material.label, prepared.labels, start=start, every_class=False, **inputs
        )
        return finetune(config, labelled, folder, resume=resume)
    parts = Parts(
        table=table,
        store=material.store,
        objective=parse(config.pairs.rule),
        composition=config.pairs.to_composition(),
        recipe=recipe,
        **inputs,
        method=prepared.method,
    )
    return pretrain(config, parts, folder, resume=resume)


def _batch(config: RunConfig, cell: Cell, rows: int) -> int:
    """The batch size of the study, or the largest that the rows of a small fold and the arm's composition allow."""
    if rows >= config.train.batch_size:
        return config.train.batch_size
    values = {**config.pairs.model_dump(), **{k.removeprefix("pairs."): v for k, v in cell.arm.config.items()}}
    kind: Any = "random" if cell.arm.rule == "none" or cell.arm.kind == "supervised" else values["composition"]
    return Composition(kind, values["per_group"]).fitting_batch(rows)


def _config(material: Material, cell: Cell, rows: int) -> RunConfig:
    values = {**cell.arm.config, **cell.point}
    values |= {
        "train.seed": cell.seed,
        "train.batch_size": max(2, _batch(material.config, cell, rows)),
        "train.keep": 1,
        "pairs.rule": cell.arm.rule,
    }
    if cell.arm.trained:
        # Every arm has the same number of updates: max_steps ends the training, epochs only has to be large enough.
        values |= {"train.max_steps": cell.steps, "train.epochs": cell.steps}
        values["train.warmup_epochs"] = (
            0.0
            if rows < material.config.train.batch_size
            else values.get("train.warmup_epochs", material.config.train.warmup_epochs)
        )
    if cell.fraction is not None:
        # Rows whose labels are hidden have no positive of another sample: with few labels that is nearly all of them.
        # The rule was checked with all labels when the study was planned.
        values["pairs.anyway"] = True
    if cell.arm.kind == "shuffled":
        values["pairs.shuffle_metadata"] = cell.seed
    if cell.arm.kind in ("random", "scratch"):
        values["encoder.init"] = "random"
    if cell.arm.kind == "supervised":
        values |= {"pairs.composition": "random"}
    config = material.config_of(cell.arm).with_values(values)
    return with_method_options(config, material.methods[cell.arm.method].options) if cell.arm.method else config
