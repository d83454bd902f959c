"""The dense probe of a cell: Dice of each whole held-out group, from frozen maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ssl_domains.engine import Run
from ssl_domains.evaluation.dense_features import dense_features, dense_targets
from ssl_domains.probes import label_draws
from ssl_domains.probes.dense import DenseFit, run_dense_probe
from ssl_domains.probes.dense_heads import ConvHead, DeepLabHead
from ssl_domains.studies.cells import Cell, CellScore
from ssl_domains.studies.material import Material
from ssl_domains.studies.measures import dice_sums
from ssl_domains.studies.training import fold_of

__all__ = ["dense_scores"]


def dense_scores(material: Material, cell: Cell, run: Run, fractions: Sequence[float]) -> list[CellScore]:
    """Scores of the masks at each fraction of labelled groups; draws are of the masks' own classes."""
    assert material.masks is not None
    fold = fold_of(material, cell)
    masked = material.masks.positions(material.table) >= 0
    rows = np.flatnonzero((fold.train | fold.test) & masked)
    part, codes, train = material.table.take(rows), material.groups.codes[rows], fold.train[rows]
    targets = dense_targets(part, material.masks, run.preprocess.canvas, material.mask_names or None)
    features = dense_features(run.encoder(), run.preprocess, part, material.store, levels=material.dense.levels)
    fit = DenseFit(steps=material.dense.steps, lr=tuple(material.dense.lr))
    head = ConvHead() if material.dense.head == "conv" else DeepLabHead()
    scores = []
    for draw in label_draws(targets.labels(), codes, train, list(fractions), cell.seed):
        found = run_dense_probe(
            features, targets, codes, draw.rows, fold.test[rows], head=head, fit=fit, seed=cell.seed
        )
        values = {f"Dice, {name}": value for name, value in found.per_class.items()}
        scores.append(
            CellScore(
                probe="dense",
                fraction=draw.asked,
                labels=found.labels,
                groups=found.groups.tolist(),
                sums={"mean Dice": dice_sums(found.dice).tolist()},
                values={**values, "mean IoU": found.mean_iou},
                note="; ".join(one for one in (draw.note, *found.remarks()) if one),
            )
        )
    return scores
