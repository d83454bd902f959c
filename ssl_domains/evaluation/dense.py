"""Dense probe of a run: its frozen maps beside random initialisation, by Dice over whole held-out groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ssl_domains.encoders import Encoder, Levels
from ssl_domains.engine.loop.initial import encoder_at_start
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.errors import DataError
from ssl_domains.evaluation.dense_maps import dense_features, dense_targets
from ssl_domains.evaluation.probe import RANDOM
from ssl_domains.evaluation.probe_report import ProbeReport, ProbeRow
from ssl_domains.evaluation.sources import run_store, run_table
from ssl_domains.evaluation.split import EvaluationSplit, evaluation_split
from ssl_domains.pairs import Objective, parse
from ssl_domains.probes import ConvHead, DenseFit, DenseHead, label_draws, run_dense_probe
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore, MaskStore

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["MASKS", "dense_probe_run"]

MASKS = "masks"
"""What stands for the label's column in the report of a dense probe."""


def dense_probe_run(
    run: Run,
    masks: MaskStore,
    *,
    table: SampleTable | None = None,
    store: ArrayStore | None = None,
    group: str | None = None,
    fractions: Sequence[float] = (1.0,),
    seeds: Sequence[int] = (0,),
    heads: Sequence[DenseHead] | None = None,
    fit: DenseFit | None = None,
    levels: Levels = "hypercolumn",
    names: Mapping[int, str] | Sequence[str] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> ProbeReport:
    """Probe the masks and keep the report as ``probe-masks.json`` in the run's folder.

    Args:
        run: The run.
        masks: Masks of the table's rows; rows without one are left out and counted.
        table: The samples; None takes those the run names.
        store: Their arrays; None takes the one the run names.
        group: Column whose groups stay whole and are scored as wholes; None takes the one the table was split by.
        fractions: Shares of the training groups with masks.
        seeds: Draws of labelled groups; draw k is the same for every arm, and is the seed of the heads.
        heads: One 1×1 convolution by default.
        fit: How heads are fitted.
        levels: Maps of all stages, or the last.
        names: Of the classes; None takes what the scan recorded.
        progress: Called with what is being encoded, rows done, rows in all.

    Raises:
        UsageError: When a column is missing, a fraction is not in (0, 1], or the encoder doesn't give its maps.
        DataError: When no row has a mask, or a mask has another shape than its image.
    """
    fit = fit or DenseFit()
    table = run_table(run) if table is None else table
    store = run_store(run) if store is None else store
    split = evaluation_split(table, group, run.training_samples)
    sides = split.train | split.test
    here = (store.positions(table) >= 0) & (masks.positions(table) >= 0)
    rows = np.flatnonzero(sides & here)
    if not len(rows):
        raise DataError("no row of the split has both an image and a mask", "scan with the masks of the images")
    part = table.take(rows)
    _same_shapes(part, store, masks)
    targets = dense_targets(part, masks, run.canvas, names)
    own = EvaluationSplit(split.train[rows], split.test[rows], split.groups[rows], split.group)
    draws = [
        (seed, draw) for seed in seeds for draw in label_draws(targets.labels(), own.groups, own.train, fractions, seed)
    ]
    # Maps of what is looked at only: at one per cent of the groups, most pictures are never encoded.
    used = np.flatnonzero(own.test | np.any([draw.rows for _, draw in draws], axis=0))
    part, targets = part.take(used), targets.take(used)
    groups, test = own.groups[used], own.test[used]
    saw = _masks_seen(run, table, masks)
    found = []
    for arm, encoder in _arms(run, saw):
        features = dense_features(
            encoder, run.preprocess, part, store, levels=levels, device=run.config.train.device,
            progress=None if progress is None else _telling(progress, arm),
        )  # fmt: skip
        for seed, draw in draws:
            for head in heads or (ConvHead(),):
                result = run_dense_probe(
                    features, targets, groups, draw.rows[used], test, head=head, fit=fit, seed=seed,
                    device=resolve_device(run.config.train.device),
                )  # fmt: skip
                found.append(ProbeRow.of_dense(arm, head.name, result, draw.asked, draw.used, seed, draw.note))
    report = ProbeReport(
        label=MASKS,
        task="segmentation",
        classes=targets.classes,
        group=split.group,
        test_groups=own.test_groups,
        transductive=split.transductive,
        supervised=saw,
        dropped=int((sides & ~here).sum()),
        rows=tuple(found),
        notes=(*split.notes, _how(fit, levels)),
    )
    report.write(run.folder)
    return report


def _arms(run: Run, saw: int) -> Iterator[tuple[str, Encoder]]:
    yield "frozen encoder" + (f" (supervised contrastive, saw {saw} masks)" if saw else ""), run.encoder()
    yield RANDOM, run.untrained_encoder()
    if run.config.encoder.init != "random":
        yield "initial weights, no further training", encoder_at_start(run)


def _same_shapes(part: SampleTable, store: ArrayStore, masks: MaskStore) -> None:
    for sample, image, mask in zip(part.frame["sample"], store.positions(part), masks.positions(part), strict=True):
        if store.shape(int(image))[:2] != masks.shape(int(mask)):
            raise DataError(f"the mask of sample {sample!r} has another shape than its image", "scan again")


def _masks_seen(run: Run, table: SampleTable, masks: MaskStore) -> int:
    """How many masks the rule read while pre-training, through the columns that the scan made of them."""
    objective = Objective.of(parse(run.config.pairs.rule))
    made: NDArray[np.str_] = np.array(list(table.meta.options.get("mask_columns") or ()), dtype=str)
    if not set(made.tolist()) & set(objective.columns) or run.config.pairs.shuffle_metadata is not None:
        return 0
    trained = table.frame["sample"].is_in(list(run.training_samples)).to_numpy()
    return int((trained & (masks.positions(table) >= 0)).sum())


def _how(fit: DenseFit, levels: Levels) -> str:
    read = "the maps of all stages" if levels == "hypercolumn" else "the last map"
    loss = "cross-entropy" + (" and soft Dice" if fit.dice else "")
    return f"heads read {read}; {fit.steps} steps of {fit.batch} pictures by {loss}, no class weights, in every arm"


def _telling(progress: Callable[[str, int, int], None], name: str) -> Callable[[int, int], None]:
    return lambda done, of: progress(name, done, of)
