"""Dense scores of a cell: Dice and pixel counts of each held-out group.

A head is fitted on frozen feature maps; for the supervised arm, encoder and head are trained from random weights.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import Run, RunConfig
from ssl_domains.evaluation.dense_maps import dense_features, map_places, mask_rows
from ssl_domains.finetuning import DrawnFrom, FineTuned, FineTuneParts, finetune_config
from ssl_domains.probes import DenseTargets, LabelDraw, label_draws, scored_once
from ssl_domains.probes.dense import DenseFit, run_dense_probe
from ssl_domains.probes.dense_data import codes_of
from ssl_domains.probes.dense_heads import ConvHead, DeepLabHead
from ssl_domains.probes.dense_result import DenseResult
from ssl_domains.probes.overlap import POOLED, add_confusion
from ssl_domains.samples import SampleTable
from ssl_domains.studies.design.cells import Cell, CellScore
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.measures import dice_sums, pixel_sums
from ssl_domains.studies.design.training import fold_of
from ssl_domains.studies.measuring.supervised import levelling_remark, one_view, resumed_or_new
from ssl_domains.views import Tiles

__all__ = ["MaskRows", "dense_scores", "mask_score", "trained_on_masks"]

_SCRATCH_BATCH = 32


@dataclass(frozen=True)
class MaskRows:
    """Rows of a cell that have masks, and that are labelled in some draw or tested.

    Attributes:
        table: ``n`` rows.
        targets: Their masks; where test samples overlap, each voxel is scored in one of them.
        codes: Their groups ``[n]``.
        test: bool ``[n]``: the test rows.
        draws: The labelled rows of each fraction, each with bool ``[n]``.
        note: Sentences on overlapping test samples, and on tiles; empty where there are none.
        tiles: Where the rows lie in their samples, if these are larger than a crop of the encoder's views; else None.
    """

    table: SampleTable
    targets: DenseTargets
    codes: NDArray[np.int64]
    test: NDArray[np.bool_]
    draws: tuple[tuple[LabelDraw, NDArray[np.bool_]], ...]
    note: str = ""
    tiles: Tiles | None = None

    @classmethod
    def of(cls, material: Material, cell: Cell, run: Run, fractions: Sequence[float]) -> MaskRows:
        """The rows of a cell; labelled groups are drawn by the classes in their masks."""
        assert material.masks is not None
        fold = fold_of(material, cell)
        masked = material.masks.positions(material.table) >= 0
        rows = np.flatnonzero((fold.train | fold.test) & masked)
        seen = mask_rows(
            run.crop, run.map_preprocess, material.table.take(rows), material.store, material.masks,
            material.mask_names or None,
        )  # fmt: skip
        part, rows, targets = seen.table, rows[seen.sample], seen.targets
        codes, test = material.groups.codes[rows], fold.test[rows]
        draws = label_draws(targets.labels(), codes, fold.train[rows] & (codes >= 0), list(fractions), cell.seed)
        # With few labelled groups, most rows are neither labelled nor tested: these are not encoded.
        used = np.flatnonzero(test | np.any([draw.rows for draw in draws], axis=0))
        kept = tuple((draw, draw.rows[used]) for draw in draws)
        part, targets = part.take(used), targets.take(used)
        places = map_places(run.map_preprocess, part, material.store)
        targets, note = scored_once(targets, places, test[used])
        note = "; ".join(one for one in (seen.note, note) if one)
        tiles = None if seen.tiles is None else seen.tiles.take(used)
        return cls(part, targets, codes[used], test[used], kept, note, tiles)


def dense_scores(material: Material, cell: Cell, run: Run, fractions: Sequence[float]) -> list[CellScore]:
    """Dice scores at each fraction of labelled groups; labelled groups are drawn by the classes in their masks."""
    rows, settings = MaskRows.of(material, cell, run, fractions), material.dense
    if cell.arm.kind == "supervised":
        return [
            mask_score("dense", rows, draw, *_scratch(material, cell, run, rows, draw, on)) for draw, on in rows.draws
        ]
    head = ConvHead() if settings.head == "conv" else DeepLabHead()
    fit = DenseFit(steps=settings.steps, lr=tuple(settings.lr))
    features = dense_features(run.encoder(), run.preprocess, rows.table, material.store, levels=settings.levels)
    scores = []
    for draw, on in rows.draws:
        result = run_dense_probe(features, rows.targets, rows.codes, on, rows.test, head=head, fit=fit, seed=cell.seed)
        scores.append(mask_score("dense", rows, draw, result))
    return scores


def _scratch(
    material: Material, cell: Cell, run: Run, rows: MaskRows, draw: LabelDraw, labelled: NDArray[np.bool_]
) -> tuple[DenseResult, str]:
    """Train encoder and head from random weights on the labelled pictures, and score the test groups.

    The training has as many pictures in all as a pre-training, but in small batches: with so few steps they score
    better.
    """
    settings, train = material.dense, run.config.train
    steps = -(-cell.steps * material.config.train.batch_size // _SCRATCH_BATCH)
    config = finetune_config(
        run.config, int(labelled.sum()), segmentation=True, scratch=True, steps=steps, batch=_SCRATCH_BATCH,
        seed=cell.seed,
    ).with_values(
        {"train.lr": train.lr, "method.head_lr": max(settings.lr), "train.weight_decay": train.weight_decay}
    )  # fmt: skip
    return trained_on_masks(material, run, rows, labelled, config, material.out / cell.folder / f"masks{draw.asked:g}")


def trained_on_masks(
    material: Material,
    run: Run,
    rows: MaskRows,
    labelled: NDArray[np.bool_],
    config: RunConfig,
    folder: Path,
    start: Path | None = None,
) -> tuple[DenseResult, str]:
    """Train encoder and head on masks, and score the test groups.

    The training is resumed where it was stopped, and removed once it is scored.

    Args:
        material: What all cells share.
        run: The run whose preprocess is used.
        rows: The rows of the cell.
        labelled: Rows to train on, bool ``[n]``.
        config: Configuration of the training.
        folder: Folder of the training.
        start: Run folder with the weights to start from; None for random weights.

    Returns:
        The result, and a remark that may be empty.
    """
    train, held = np.flatnonzero(labelled), np.flatnonzero(rows.test)
    part, masks = rows.table.take(train), rows.targets.take(train)
    tiles = None if rows.tiles is None else rows.tiles.take(train)
    drawn = DrawnFrom.of(tiles, masks, run.map_preprocess)
    parts = FineTuneParts(
        part,
        material.store,
        one_view(material.recipe(part if drawn is None else drawn.table, config)),
        masks=masks,
        drawn=drawn,
        groups=rows.codes[train],
        preprocess=run.preprocess,
        start=start,
        head=material.dense.head,
        levels=material.dense.levels,
        fit=DenseFit(steps=material.dense.steps, lr=tuple(material.dense.lr)),
        every_class=False,
    )
    trained = resumed_or_new(config, parts, folder)
    result = _scored(
        FineTuned.open(trained), material, rows.table.take(held), rows.targets.take(held), rows.codes[held]
    )
    remark = levelling_remark(trained) if start is None else ""
    shutil.rmtree(folder)
    steps = config.train.max_steps or 0
    chosen = {"lr": config.train.lr, "steps": float(steps)}
    labels, groups = len(train), len(np.unique(rows.codes[train]))
    return replace(result, chosen=chosen, labels=labels, trained_groups=groups), remark


def _scored(
    model: FineTuned, material: Material, part: SampleTable, targets: DenseTargets, codes: NDArray[Any]
) -> DenseResult:
    """Count the pixels of test pictures by true and predicted class, for each group."""
    names, place = np.unique(codes, return_inverse=True)
    counts = np.zeros((len(names), targets.channels, targets.channels), dtype=np.int64)
    index = codes_of(targets.numbers)
    for row, found in model.label_maps(part, material.store):
        add_confusion(counts[place[row]], targets.native[row], index[found])
    return DenseResult(counts, names, targets.classes, {}, 0, 0, len(part), background=targets.background)


def mask_score(probe: str, rows: MaskRows, draw: LabelDraw, result: DenseResult, remark: str = "") -> CellScore:
    """The scores of predicted masks, by group and over the whole fold."""
    return CellScore(
        probe=probe,
        fraction=draw.asked,
        labels=result.labels,
        groups=result.groups.tolist(),
        sums={
            "mean Dice": dice_sums(result.dice).tolist(),
            **dict.fromkeys(POOLED, pixel_sums(result.counts).tolist()),
        },
        values={**{f"Dice, {name}": value for name, value in result.per_class.items()}, "mean IoU": result.mean_iou},
        note="; ".join(one for one in (draw.note, remark, rows.note, *result.remarks()) if one),
    )
