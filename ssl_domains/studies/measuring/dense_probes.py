"""Dense scores of a cell: Dice of each held-out group.

A head is fitted on frozen feature maps; for the supervised arm, encoder and head are trained from scratch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ssl_domains.engine import Run
from ssl_domains.evaluation.dense_maps import dense_features, dense_targets
from ssl_domains.evaluation.dense_scratch import dense_supervised
from ssl_domains.probes import LabelDraw, label_draws
from ssl_domains.probes.dense import DenseFit, DenseResult, run_dense_probe
from ssl_domains.probes.dense_heads import ConvHead, DeepLabHead
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
        config = run.config
        recipe = material.recipe(part, config)
        assert isinstance(recipe, ViewRecipe), "masks are of pictures"
        # As many pictures in all as a pre-training uses, but in small batches: with so few steps they score better.
        steps = -(-cell.steps * material.config.train.batch_size // _SCRATCH_BATCH)
        return [
            _score(
                draw,
                dense_supervised(
                    run.untrained_encoder(), recipe, run.preprocess, part, material.store,
                    targets, codes, draw.rows[used], test, steps=steps, batch=_SCRATCH_BATCH, lr=config.train.lr,
                    head_lr=max(settings.lr), weight_decay=config.train.weight_decay, head=head,
                    levels=settings.levels, seed=cell.seed, device=config.train.device,
                ),
            )
            for draw in draws
        ]  # fmt: skip
    fit = DenseFit(steps=settings.steps, lr=tuple(settings.lr))
    features = dense_features(run.encoder(), run.preprocess, part, material.store, levels=settings.levels)
    scores = []
    for draw in draws:
        result = run_dense_probe(features, targets, codes, draw.rows[used], test, head=head, fit=fit, seed=cell.seed)
        scores.append(_score(draw, result))
    return scores


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
