"""Fine-tuning as a probe: encoder and head are trained on the labelled groups and scored on the held-out ones.

A pre-trained arm starts from its own weights, with the head of its frozen probe. The arms from scratch start from
random weights; *equal effort* has as many views as the pre-training and the fine-tuning together.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ssl_domains.engine import Run, RunConfig
from ssl_domains.finetuning import FineTuned, FineTuneParts, finetune_config
from ssl_domains.finetuning.measuring.effort import Effort, equal_effort_steps
from ssl_domains.probes.transcripts import Transcripts
from ssl_domains.studies.design.arms import EQUAL_EFFORT
from ssl_domains.studies.design.cells import Cell, CellScore
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.training import draw_of
from ssl_domains.studies.measuring.dense_probes import MaskRows, mask_score, trained_on_masks
from ssl_domains.studies.measuring.label_probes import TestRows
from ssl_domains.studies.measuring.supervised import levelling_remark, one_view, resumed_or_new
from ssl_domains.studies.measuring.transcript_probes import FittingRows, head_fit, trained_score

__all__ = ["PROBE", "finetune_scores", "is_finetuned"]

PROBE = "finetune"


def is_finetuned(material: Material, cell: Cell) -> bool:
    """Whether the arm of a cell is fine-tuned; grid points are chosen by the other probes."""
    return PROBE in material.probes and not cell.chooses and (cell.arm.finetuned or cell.arm.kind == "scratch")


def finetune_scores(material: Material, cell: Cell, run: Run, fractions: Sequence[float]) -> list[CellScore]:
    """Scores after fine-tuning at each fraction at which the study fine-tunes: of masks beside the dense probe, else of
    the label column, as text beside the probe of transcripts.
    """
    at = [one for one in fractions if one in (material.finetune.fractions or material.fractions)]
    if not at:
        return []
    return _of_masks(material, cell, run, at) if "dense" in material.probes else _of_label(material, cell, run, at)


def training_config(material: Material, cell: Cell, run: Run, labelled: int, *, masks: bool) -> RunConfig:
    """Configuration of a fine-tuning, or of a training from scratch, on so many labelled rows."""
    settings, scratch = material.finetune, cell.arm.kind == "scratch"
    batch, steps = max(2, min(settings.batch, labelled)), settings.steps
    if cell.arm.name == EQUAL_EFFORT:
        before = material.config
        views = cell.steps * before.train.batch_size * (before.views.n or 2)
        steps = equal_effort_steps(steps, batch, Effort(views))
    config = finetune_config(
        run.config, labelled, segmentation=masks, transcripts=isinstance(material.labels, Transcripts), scratch=scratch,
        steps=steps, batch=batch, seed=cell.seed,
    )  # fmt: skip
    rates = {} if scratch or settings.lr is None else {"train.lr": settings.lr}
    rates |= {} if settings.head_lr is None else {"method.head_lr": settings.head_lr}
    return config.with_values({**rates, **({"method.head_start": "fresh"} if cell.arm.fresh_head else {})})


def _start(cell: Cell, run: Run) -> Path | None:
    return None if cell.arm.kind == "scratch" else run.folder


def _of_masks(material: Material, cell: Cell, run: Run, fractions: Sequence[float]) -> list[CellScore]:
    rows = MaskRows.of(material, cell, run, fractions)
    scores = []
    for draw, labelled in rows.draws:
        config = training_config(material, cell, run, int(labelled.sum()), masks=True)
        folder = material.out / cell.folder / f"finetune{draw.asked:g}"
        result = trained_on_masks(material, run, rows, labelled, config, folder, _start(cell, run))
        scores.append(mask_score(PROBE, rows, draw, *result))
    return scores


def _of_label(material: Material, cell: Cell, run: Run, fractions: Sequence[float]) -> list[CellScore]:
    tested = TestRows.of(material, cell)
    scores = []
    for fraction in fractions:
        draw = draw_of(material, cell, fraction)
        labels, rows, drawn = material.labels, np.flatnonzero(draw.rows), draw.note
        if isinstance(labels, Transcripts):
            fitting = FittingRows.of(material, cell, run)
            labels, (rows, drawn) = fitting.transcripts, fitting.drawn(draw)
        part = material.table.take(rows)
        config = training_config(material, cell, run, len(rows), masks=False)
        parts = FineTuneParts(
            part,
            material.store,
            one_view(material.recipe(part, config)),
            material.label,
            labels.take(rows),
            groups=material.groups.codes[rows],
            preprocess=run.preprocess,
            start=_start(cell, run),
            fit=head_fit(material) if isinstance(labels, Transcripts) else None,
            every_class=False,
        )
        folder = material.out / cell.folder / f"finetune{fraction:g}"
        trained = resumed_or_new(config, parts, folder)
        remark = levelling_remark(trained) if cell.arm.kind == "scratch" else ""
        note = "; ".join(one for one in (drawn, remark) if one)
        if isinstance(labels, Transcripts):
            scores.append(trained_score(tested, PROBE, fraction, len(rows), trained, note))
        else:
            answers = FineTuned.open(trained).answers(tested.part, material.store)
            scores.append(tested.score(PROBE, fraction, len(rows), answers, note))
        shutil.rmtree(folder)
    return scores
