"""Dense scores of a cell: Dice of each held-out group.

A head is fitted on frozen feature maps; for the supervised arm, encoder and head are trained from random weights.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import Run
from ssl_domains.engine.record.checkpoint import OtherConfigError, OtherSamplesError
from ssl_domains.evaluation.dense_maps import dense_features, dense_targets
from ssl_domains.finetuning import FineTuned, FineTuneParts, finetune, finetune_config
from ssl_domains.probes import DenseTargets, LabelDraw, label_draws
from ssl_domains.probes.dense import DenseFit, DenseResult, run_dense_probe
from ssl_domains.probes.dense_heads import ConvHead, DeepLabHead
from ssl_domains.probes.overlap import add_confusion
from ssl_domains.samples import SampleTable
from ssl_domains.studies.design.cells import Cell, CellScore
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.measures import dice_sums
from ssl_domains.studies.design.training import fold_of
from ssl_domains.views import ViewRecipe

__all__ = ["dense_scores"]

_SCRATCH_BATCH = 32


def dense_scores(material: Material, cell: Cell, run: Run, fractions: Sequence[float]) -> list[CellScore]:
    """Dice scores at each fraction of labelled groups; labelled groups are drawn by the classes in their masks."""
    assert material.masks is not None
    fold = fold_of(material, cell)
    masked = material.masks.positions(material.table) >= 0
    rows = np.flatnonzero((fold.train | fold.test) & masked)
    part, codes, test = material.table.take(rows), material.groups.codes[rows], fold.test[rows]
    targets = dense_targets(part, material.masks, run.canvas, material.mask_names or None)
    draws = label_draws(targets.labels(), codes, fold.train[rows], list(fractions), cell.seed)
    # Encode only rows that are labelled in some draw or tested: with few labelled groups, most are neither.
    used = np.flatnonzero(test | np.any([draw.rows for draw in draws], axis=0))
    part, targets, codes, test = part.take(used), targets.take(used), codes[used], test[used]
    settings, head = material.dense, ConvHead() if material.dense.head == "conv" else DeepLabHead()
    if cell.arm.kind == "supervised":
        return [_score(draw, _scratch(material, cell, run, part, targets, codes, draw, used, test)) for draw in draws]
    fit = DenseFit(steps=settings.steps, lr=tuple(settings.lr))
    features = dense_features(run.encoder(), run.preprocess, part, material.store, levels=settings.levels)
    scores = []
    for draw in draws:
        result = run_dense_probe(features, targets, codes, draw.rows[used], test, head=head, fit=fit, seed=cell.seed)
        scores.append(_score(draw, result))
    return scores


def _scratch(
    material: Material,
    cell: Cell,
    run: Run,
    part: SampleTable,
    targets: DenseTargets,
    codes: NDArray[Any],
    draw: LabelDraw,
    used: NDArray[np.int64],
    test: NDArray[np.bool_],
) -> DenseResult:
    """Train encoder and head from random weights on the labelled pictures, and score the test groups.

    The training has as many pictures in all as a pre-training, but in small batches: with so few steps they score
    better. It is resumed where it was stopped, and removed once it is scored.
    """
    rows, held = np.flatnonzero(draw.rows[used]), np.flatnonzero(test)
    settings, train = material.dense, run.config.train
    labelled = part.take(rows)
    recipe = material.recipe(labelled, run.config)
    assert isinstance(recipe, ViewRecipe), "masks are of pictures"
    steps = -(-cell.steps * material.config.train.batch_size // _SCRATCH_BATCH)
    config = finetune_config(
        run.config, len(rows), segmentation=True, scratch=True, steps=steps, batch=_SCRATCH_BATCH, seed=cell.seed
    ).with_values(
        {
            "train.lr": train.lr,
            "method.head_lr": max(settings.lr),
            "train.weight_decay": train.weight_decay,
            "train.keep": 1,
        }
    )
    parts = FineTuneParts(
        labelled,
        material.store,
        replace(recipe, views=1),
        masks=targets.take(rows),
        groups=codes[rows],
        preprocess=run.preprocess,
        head=settings.head,
        levels=settings.levels,
        every_class=False,
    )
    folder = material.out / cell.folder / f"masks{draw.asked:g}"
    try:
        trained = finetune(config, parts, folder, resume=bool(Run(folder).checkpoints.paths()))
    except (OtherConfigError, OtherSamplesError):
        # The checkpoint is of another version of the study and has no result: start again.
        shutil.rmtree(folder)
        trained = finetune(config, parts, folder)
    result = _scored(FineTuned.open(trained), material, part.take(held), targets.take(held), codes[held])
    shutil.rmtree(folder)
    return replace(
        result,
        chosen={"lr": train.lr, "head_lr": float(max(settings.lr)), "steps": float(steps)},
        labels=len(rows),
        trained_groups=len(np.unique(codes[rows])),
    )


def _scored(
    model: FineTuned, material: Material, part: SampleTable, targets: DenseTargets, codes: NDArray[Any]
) -> DenseResult:
    """Count the pixels of test pictures by true and predicted class, for each group."""
    names, place = np.unique(codes, return_inverse=True)
    size = len(targets.classes) + 1
    counts = np.zeros((len(names), size, size), dtype=np.int64)
    index = np.zeros(256, dtype=np.uint8)
    index[list(targets.numbers)] = np.arange(1, size)
    for row, found in model.label_maps(part, material.store):
        add_confusion(counts[place[row]], targets.native[row], index[found])
    return DenseResult(counts, names, targets.classes, {}, 0, 0, len(part))


def _score(draw: LabelDraw, result: DenseResult) -> CellScore:
    return CellScore(
        probe="dense",
        fraction=draw.asked,
        labels=result.labels,
        groups=result.groups.tolist(),
        sums={"mean Dice": dice_sums(result.dice).tolist()},
        values={**{f"Dice, {name}": value for name, value in result.per_class.items()}, "mean IoU": result.mean_iou},
        note="; ".join(one for one in (draw.note, *result.remarks()) if one),
    )
