"""What a fine-tuning is made of: labelled rows, their views, the encoder's weights; and the checks of all that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.encoders import Levels
from ssl_domains.engine import Parts, RunConfig
from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation.dense_maps import map_windows
from ssl_domains.finetuning.method import FineTuning
from ssl_domains.finetuning.task import TASK_FILE, Task
from ssl_domains.finetuning.whole_views import whole_views
from ssl_domains.pairs import Composition, Objective
from ssl_domains.probes import DenseFit, DenseTargets, Labels, NativeMasks, require_varying
from ssl_domains.probes.transcripts import TranscriptFit, Transcripts
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import (
    IGNORED,
    DrawnLabelMaps,
    LabelMaps,
    MapPreprocess,
    PreprocessSource,
    Recipe,
    RowInputs,
    Scaling,
    Tiles,
    crop_of,
    extended,
    map_planes,
    map_sides,
    tiles_of,
    with_label_maps,
)

__all__ = ["DrawnFrom", "FineTuneParts", "engine_parts"]

TARGETS_FILE = "targets.json"


@dataclass(frozen=True)
class DrawnFrom:
    """What the crops of a segmentation are drawn from: each row with the places around it.

    Attributes:
        table: The rows of `FineTuneParts.table`, with larger regions.
        masks: Their masks at native shape.
    """

    table: SampleTable
    masks: NativeMasks

    @classmethod
    def of(cls, tiles: Tiles | None, masks: DenseTargets, preprocess: MapPreprocess) -> DrawnFrom | None:
        """The tiles of samples with the places around them; None without tiles.

        Args:
            tiles: The training rows, as `ssl_domains.evaluation.dense_maps.mask_rows` cuts them.
            masks: Their masks.
            preprocess: Says how masks lie in arrays.
        """
        if tiles is None:
            return None
        around = tiles.surroundings()
        return cls(around.table, masks.native.with_windows(map_windows(preprocess, around)))


@dataclass(frozen=True)
class FineTuneParts:
    """Objects of a fine-tuning.

    Attributes:
        table: The training rows, each with a decoded array; rows without a label may be among them.
        store: Store with their arrays.
        recipe: Makes the views; one view of each sample is usual.
        label: Name of the label column; not read for masks.
        labels: Labels of the rows, in the order of ``table``; `Transcripts` for a recogniser; None for masks.
        masks: Masks of the rows, in the order of ``table``; None for a label column.
        drawn: For masks and views that show crops: what the crops are drawn from; None for the rows themselves, each of
            which must be no larger than a crop.
        groups: Group of each row ``[n]``, by which the setting of the frozen probe is chosen; None for a group of its
            own for each row.
        preprocess: The preprocess of the pre-trained run, whose fitted values are kept; or one of the domain.
        scaling: Scaling of pictures, fitted on the training rows; None where ``preprocess`` is given.
        start: Run folder, file of weights or ``pretrained``; None for random weights.
        head: Segmentation: ``conv`` or ``deeplab``.
        levels: Segmentation: the maps that the head reads.
        head_start: Weights of the head at the first step, by name; None follows the option ``head_start``.
        fit: Segmentation and transcription: how the head of the frozen probe is fitted; None as the probe does by
            default.
        every_class: Whether a class without a training row is refused.
    """

    table: SampleTable
    store: ArrayStore
    recipe: Recipe
    label: str = ""
    labels: Labels | None = None
    masks: DenseTargets | None = None
    drawn: DrawnFrom | None = None
    groups: NDArray[Any] | None = None
    preprocess: PreprocessSource | None = None
    scaling: Scaling | None = None
    start: str | Path | None = None
    head: str = "conv"
    levels: Levels = "hypercolumn"
    head_start: Mapping[str, Tensor] | None = None
    fit: DenseFit | TranscriptFit | None = None
    every_class: bool = True

    def __post_init__(self) -> None:
        if (self.labels is None) == (self.masks is None):
            raise UsageError("fine-tuning takes labels or masks, one of the two", "give labels=… or masks=…")

    @property
    def task(self) -> Task:
        """What is predicted."""
        if self.masks is not None:
            return Task.of_masks(self.masks, self.head, self.levels)
        assert self.labels is not None
        return Task.of_labels(self.labels, self.label)

    @property
    def map_preprocess(self) -> MapPreprocess | None:
        """The preprocess that places the masks; None where pictures are scaled by ``scaling``.

        Raises:
            UsageError: When samples of the preprocess have no label maps.
        """
        return None if self.preprocess is None else with_label_maps(self.preprocess, "the encoder")

    def require(self) -> None:
        """Check labels and masks.

        Raises:
            DataError: When there is no label, all are of one class, a class has no training row, or a mask has another
                shape than its picture.
            UsageError: When masks are given, and the preprocess places no label maps, or a row is larger than a crop
                and nothing says what crops are drawn from; when transcripts are given,
                and the views show crops.
        """
        if self.masks is not None:
            self._require_masks(self.masks)
        if self.labels is not None:
            self._require_labels(self.labels)

    def _require_labels(self, labels: Labels) -> None:
        if len(labels) != len(self.table):
            raise UsageError(f"{len(labels)} labels for {len(self.table)} rows", "take the labels of the rows")
        if isinstance(labels, Transcripts) and crop_of(self.recipe) is not None:
            cause = "the views show crops, and the transcripts are those of whole samples"
            raise UsageError(cause, "leave views.crop out")
        if not labels.known.any():
            raise DataError("no training row has a label", "fine-tune on a column that the training rows have")
        require_varying(labels)
        shown = np.asarray(labels.take(labels.known).membership().any(axis=0), dtype=np.bool_)
        self._require_every_class(labels.classes, shown, "label")

    def _require_masks(self, masks: DenseTargets) -> None:
        crop = crop_of(self.recipe)
        if crop is not None and self.drawn is None and tiles_of(crop, self.table, self.store.of(self.table)).cut:
            cause = "the views show crops, and the masks are those of whole samples"
            raise UsageError(cause, "cut the samples into tiles with mask_rows, and give drawn=DrawnFrom.of(…)")
        if len(masks) != len(self.table):
            raise UsageError(f"{len(masks)} masks for {len(self.table)} rows", "take the masks of the rows")
        shapes, placing = self.store.of(self.table).shapes(), self.map_preprocess
        sides = shapes[:, :2] if placing is None else map_sides(placing, self.table, shapes)
        for row, (sample, side) in enumerate(zip(self.table.frame["sample"], sides.tolist(), strict=True)):
            if tuple(side) != masks.native.shape(row):
                raise DataError(f"the mask of sample {sample!r} has another shape than its image", "scan again")
        counts = np.bincount(masks.placed.ravel(), minlength=IGNORED + 1)
        shown = counts[int(masks.background) : masks.channels] > 0
        if not shown.any():
            raise DataError(masks.nothing_shown, "label more groups")
        self._require_every_class(masks.classes, shown, "mask")

    def _require_every_class(self, classes: tuple[str, ...], shown: NDArray[np.bool_], what: str) -> None:
        absent = [name for name, one in zip(classes, shown, strict=True) if not one]
        if absent and self.every_class:
            raise DataError(
                f"no training {what} shows the class {absent[0]!r}, which can't be learnt",
                "label a training group with it, or leave its rows out of the table",
            )


def engine_parts(config: RunConfig, parts: FineTuneParts) -> tuple[RunConfig, Parts]:
    """Configuration and parts with which the engine's loop trains; `ssl_domains.engine.rehearse` takes them too.

    Args:
        config: The configuration of the fine-tuning, see `finetune_config`.
        parts: The parts of the fine-tuning; without ``head_start`` the head is a fresh one.

    Raises:
        UsageError: When the masks lie on another canvas than the pictures, and in the cases of `FineTuneParts.require`.
        DataError: In the cases of `FineTuneParts.require`.
    """
    parts.require()
    preprocess = parts.preprocess
    if preprocess is not None and hasattr(preprocess, "extend"):
        preprocess = extended(preprocess, parts.table, parts.store)  # type: ignore[arg-type]
    if parts.masks is not None:
        placing = parts.map_preprocess
        size = config.views.square[0] if placing is None else placing.canvas.size
        if parts.masks.canvas.size != size:
            cause = f"the masks lie on a canvas of {parts.masks.canvas.size} pixels, the pictures on one of {size}"
            raise UsageError(cause, "place the masks on the canvas of the pictures")
    config = config.with_values(
        {
            "method.name": "finetune",
            "encoder.init": "random" if parts.start is None else str(parts.start),
            "pairs.rule": "none",
            "pairs.composition": "random",
        }
    )
    method = FineTuning(parts.task, parts.labels, parts.head_start)
    made = Parts(
        table=parts.table if parts.drawn is None else parts.drawn.table,
        store=parts.store,
        objective=Objective(),
        composition=Composition("random"),
        recipe=whole_views(parts.recipe) if isinstance(parts.labels, Transcripts) else parts.recipe,
        scaling=parts.scaling,
        method=method,
        preprocess=preprocess,
        beside=_label_maps(parts),
        records={TASK_FILE: method.task.to_dict(), TARGETS_FILE: _summary(parts)},
    )
    return config, made


def _label_maps(parts: FineTuneParts) -> RowInputs | None:
    """The label maps beside the views; None for a label column."""
    if parts.masks is None:
        return None
    if crop_of(parts.recipe) is None:
        return LabelMaps(parts.masks.placed)
    drawn, placing = parts.drawn or DrawnFrom(parts.table, parts.masks.native), parts.map_preprocess
    shapes = parts.store.of(drawn.table).shapes()
    planes = np.tile([0, 1], (len(shapes), 1)) if placing is None else map_planes(placing, drawn.table, shapes)
    return DrawnLabelMaps(drawn.masks, planes, parts.masks.canvas)


def _summary(parts: FineTuneParts) -> dict[str, Any]:
    """Number of labelled rows, and a hash of their labels or masks."""
    digest = hashlib.sha256()
    if parts.masks is not None:
        digest.update(np.ascontiguousarray(parts.masks.placed).data)
        return {"labelled": len(parts.masks), "sha256": digest.hexdigest()}
    assert parts.labels is not None
    digest.update(repr((parts.labels.task, parts.labels.classes)).encode())
    digest.update(np.ascontiguousarray(parts.labels.y).data)
    digest.update(np.ascontiguousarray(parts.labels.known).data)
    if isinstance(parts.labels, Transcripts):
        digest.update(parts.labels.content)
    return {"labelled": int(parts.labels.known.sum()), "sha256": digest.hexdigest()}
