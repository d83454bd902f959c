"""The rows of a comparison: labelled rows or masks, their split, and the checks that come before any training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.evaluation import MASKS, EvaluationSplit, evaluation_split
from ssl_domains.evaluation.dense import mask_notes
from ssl_domains.evaluation.dense_maps import map_places, mask_rows
from ssl_domains.evaluation.labelled import labelled_rows
from ssl_domains.evaluation.probe import require_shared_classes
from ssl_domains.probes import DenseTargets, Labels, Task, scored_once
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable, TableMeta
from ssl_domains.stores import ArrayStore, MaskStore
from ssl_domains.views import Crop, MapPreprocess, Tiles

__all__ = ["Material", "label_material", "mask_material"]


@dataclass(frozen=True)
class Material:
    """The rows with a label (or a mask), an array and a side of the split.

    Attributes:
        label: The label column, or ``masks``.
        task: ``classification``, ``multilabel``, ``regression`` or ``segmentation``.
        whole: The whole table.
        table: The ``n`` rows.
        store: Their arrays.
        labels: Labels of the rows; of masks, the set of classes in each.
        split: Sides and groups of the rows.
        dropped: Number of rows of the split without a label.
        masks: The masks; None for a label column.
        targets: Masks of the rows on the canvas and at native shape; None for a label column.
        tiles: Where the rows lie in their samples, if these are larger than a crop of the encoder's views; else None.
        notes: Remarks, one line each.
    """

    label: str
    task: str
    whole: SampleTable
    table: SampleTable
    store: ArrayStore
    labels: Labels
    split: EvaluationSplit
    dropped: int
    masks: MaskStore | None = None
    targets: DenseTargets | None = None
    tiles: Tiles | None = None
    notes: tuple[str, ...] = ()

    @property
    def test(self) -> NDArray[np.int64]:
        """Positions of the test rows."""
        return np.flatnonzero(self.split.test)


def label_material(
    table: SampleTable,
    store: ArrayStore,
    label: str,
    *,
    group: str | None = None,
    trained: frozenset[str] = frozenset(),
    meta: TableMeta | None = None,
    task: Task | None = None,
) -> Material:
    """The rows of a label column, on the split that `probe_run` uses.

    Args:
        table: The samples.
        store: Their arrays.
        label: The label column.
        group: Column of the groups; None takes the one that the table was split by.
        trained: Sample ids of the pre-training rows; none for weights of a file.
        meta: Metadata of the table of the pre-training; None where there is none.
        task: The task; None chooses it by the column.

    Raises:
        UsageError: When a column is missing, the task does not fit it, or the label is the group.
        DataError: When no row is left, a class is only in test groups, the training labels are all equal, or fewer than
            two training groups have a label.
    """
    known = meta or TableMeta()
    found = labelled_rows(table, store, label, group=group, trained=trained, meta=known, task=task)
    kept, sides = found.kept, found.split
    _require_sides(sides, f"a label {label!r}")
    require_shared_classes(label, kept, [sides])
    _require_varying(label, kept.take(sides.train))
    _require_learnable(label, kept, sides)
    return Material(
        label, kept.task, table, table.take(found.rows), store, kept, sides,
        found.dropped, notes=found.notes,
    )  # fmt: skip


def mask_material(
    table: SampleTable,
    store: ArrayStore,
    masks: MaskStore,
    preprocess: MapPreprocess,
    *,
    group: str | None = None,
    trained: frozenset[str] = frozenset(),
    meta: TableMeta | None = None,
    names: Mapping[int, str] | Sequence[str] | None = None,
    crop: Crop | None = None,
) -> Material:
    """The rows with a mask, on the split that `dense_probe_run` uses; samples larger than a crop are cut into tiles.

    Args:
        table: The samples.
        store: Their arrays.
        masks: The masks.
        preprocess: The preprocess of the pre-training, which places label maps on its canvas.
        group: Column of the groups; None takes the one that the table was split by.
        trained: Sample ids of the pre-training rows; none for weights of a file.
        meta: Metadata of the table of the pre-training; None where there is none.
        names: Names of the classes; None takes those that the scan recorded.
        crop: Crop of the views that the encoder was trained on; None for whole samples.

    Raises:
        UsageError: When a column is missing, or the crop cuts samples across their masks.
        DataError: When no row has a mask, a mask has another shape than its image, a class is only in test groups, the
            training masks show no class, or fewer than two training groups have a mask.
    """
    split = evaluation_split(table, group, trained, run_group=(meta or TableMeta()).group)
    sides = split.train | split.test
    available = store.of(table).decoded & (masks.positions(table) >= 0)
    rows = np.flatnonzero(sides & available)
    if not len(rows):
        raise DataError("no row of the split has both an image and a mask", "scan with the masks of the images")
    part = table.take(rows)
    seen = mask_rows(crop, preprocess, part, store, masks, names)
    part, rows, targets = seen.table, rows[seen.sample], seen.targets
    kept = EvaluationSplit(
        split.train[rows], split.test[rows], split.groups[rows], split.group, split.transductive, split.notes
    )
    labels = targets.labels()
    _require_sides(kept, "a mask")
    if not labels.y[kept.train].any():
        raise DataError(targets.nothing_shown, "label more groups")
    _require_learnable(MASKS, labels, kept)
    notes = mask_notes(part, targets, names)
    targets, overlap = scored_once(targets, map_places(preprocess, part, store), kept.test)
    return Material(
        MASKS, "segmentation", table, part, store, labels, kept, int((sides & ~available).sum()), masks, targets,
        seen.tiles, tuple(note for note in (*split.notes, seen.note, *notes, overlap) if note),
    )  # fmt: skip


def _require_sides(sides: EvaluationSplit, what: str) -> None:
    for rows, side in ((sides.train, "training"), (sides.test, "test")):
        if not rows.any():
            raise DataError(f"no {side} row has {what}", "take another label, or split by a coarser group")
    shared = np.intersect1d(sides.groups[sides.train], sides.groups[sides.test])
    if len(shared):
        raise DataError(
            f"{plural(len(shared), 'group is', 'groups are')} on both sides of the split",
            "scan with --split-by the column given as --group",
        )
    count = len(np.unique(sides.groups[sides.train]))
    if count < 2:
        cause = f"only {plural(count, 'training group')} of {sides.group!r} has {what}"
        raise DataError(
            f"{cause}: settings are chosen on groups that are held out, which needs two",
            "label more groups, or split by a finer column with --group",
        )


def _require_varying(label: str, labels: Labels) -> None:
    if labels.task == "classification" and len(np.unique(labels.y)) < 2:
        name = labels.classes[int(labels.y[0])]
        cause = f"every training label {label!r} is {name!r}: there is nothing to learn from one class"
    elif labels.task == "regression" and float(np.ptp(labels.y)) == 0.0:
        cause = f"every training label {label!r} is the same number"
    elif labels.task == "multilabel" and not (labels.y.any() and labels.y.min() == 0):
        cause = f"every training row carries the same labels {label!r}"
    else:
        return
    raise DataError(cause, "take a column that varies")


def _require_learnable(label: str, labels: Labels, sides: EvaluationSplit) -> None:
    """Refuse classes that only test groups have."""
    holds = labels.membership()
    lacking = np.asarray(holds[sides.test].any(axis=0) & ~holds[sides.train].any(axis=0), dtype=np.bool_)
    if not lacking.any():
        return
    names = [repr(name) for name, lacks in zip(labels.classes, lacking, strict=True) if lacks]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    what = "class" if len(names) == 1 else "classes"
    where = "the masks of test groups" if label == MASKS else f"test groups of {sides.group!r}"
    raise DataError(
        f"the {what} {shown} of {label!r} {'is' if len(names) == 1 else 'are'} only in {where}: no training group "
        "teaches it",
        "scan with another --seed of --split-by, or leave these rows out with `ssl-domains tables filter`",
    )
