"""Dense probe of a run: fit heads on frozen feature maps and score Dice of whole held-out groups.

The trained encoder is compared with random initialisation and, where there are any, with the initial weights.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ssl_domains.encoders import Encoder, Levels
from ssl_domains.engine.loop.initial import encoder_at_start
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.errors import DataError
from ssl_domains.evaluation.dense_maps import dense_features, map_places, mask_rows
from ssl_domains.evaluation.probe import RANDOM
from ssl_domains.evaluation.probe_report import ProbeReport, ProbeRow, probe_path
from ssl_domains.evaluation.sources import run_store, run_table
from ssl_domains.evaluation.split import EvaluationSplit, evaluation_split
from ssl_domains.pairs import Objective, parse
from ssl_domains.probes import (
    POSITION,
    ConvHead,
    DenseFit,
    DenseHead,
    DenseTargets,
    label_draws,
    position_floor,
    run_dense_probe,
    scored_once,
)
from ssl_domains.probes.overlap import POOLED
from ssl_domains.samples import SampleTable, require_target
from ssl_domains.stores import ArrayStore, MaskStore, mask_names

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["MASKS", "dense_probe_run", "mask_notes", "masks_read_by"]

MASKS = "masks"
"""``ProbeReport.label`` of a dense probe."""

_SHRUNK = 2


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
    alone: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> ProbeReport:
    """Probe the masks and write the report to ``probe-masks.json`` in the run's folder.

    Args:
        run: The run.
        masks: Masks of the table's rows; rows without one are left out and counted.
        table: The samples; None takes those the run names.
        store: Their arrays; None takes the one the run names.
        group: Column of the groups, each held out and scored as a whole; None takes the one the table was split by.
        fractions: Shares of the training groups with masks.
        seeds: Numbers of the draws of labelled groups, and seeds of the heads; each draw is the same for every arm.
        heads: Heads to fit; by default one 1×1 convolution.
        fit: Settings of the fit.
        levels: Whether the head reads the maps of all stages or only the last.
        names: Names of the classes; None takes those that the scan recorded.
        alone: Whether to leave out random initialisation, initial weights, and the floor, which is the place of each
            pixel, where samples are regions of arrays.
        progress: Called with the name of the arm, the number of rows done, and the number of all rows.

    Raises:
        UsageError: When a column is missing, a fraction is not in (0, 1], the encoder doesn't give its maps, or the
            crops of its views cut samples across their masks.
        DataError: When no row has a mask, or a mask has another shape than its image.
    """
    fit = fit or DenseFit()
    placing = run.map_preprocess
    require_target(probe_path(run.folder, MASKS))
    unfinished = run.unfinished_remark()
    table = run_table(run) if table is None else table
    store = run_store(run) if store is None else store
    split = evaluation_split(table, group, run.training_samples, run_group=run.table_meta.group)
    sides = split.train | split.test
    available = store.of(table).decoded & (masks.positions(table) >= 0)
    rows = np.flatnonzero(sides & available)
    if not len(rows):
        raise DataError("no row of the split has both an image and a mask", "scan with the masks of the images")
    part = table.take(rows)
    seen = mask_rows(run.crop, placing, part, store, masks, names)
    part, rows, targets = seen.table, rows[seen.sample], seen.targets
    remarks = (seen.note, *mask_notes(part, targets, names))
    places = map_places(placing, part, store)
    part_split = EvaluationSplit(split.train[rows], split.test[rows], split.groups[rows], split.group)
    draws = [
        (seed, draw)
        for seed in seeds
        for draw in label_draws(targets.labels(), part_split.groups, part_split.train, fractions, seed)
    ]
    # Encode only rows that are labelled in some draw or tested: at 1 % of the groups, most are neither.
    used = np.flatnonzero(part_split.test | np.any([draw.rows for _, draw in draws], axis=0))
    part, targets = part.take(used), targets.take(used)
    groups, test = part_split.groups[used], part_split.test[used]
    targets, overlap = scored_once(targets, None if places is None else places.take(used), test)
    masks_read = masks_read_by(run, table, masks)
    report_rows = []
    for arm, encoder in itertools.islice(_arms(run, masks_read), 1 if alone else None):
        features = dense_features(
            encoder, run.preprocess, part, store, levels=levels, device=run.config.train.device,
            progress=None if progress is None else _progress_of(progress, arm),
        )  # fmt: skip
        for seed, draw in draws:
            for head in heads or (ConvHead(),):
                result = run_dense_probe(
                    features, targets, groups, draw.rows[used], test, head=head, fit=fit, seed=seed,
                    device=resolve_device(run.config.train.device),
                )  # fmt: skip
                report_rows.append(ProbeRow.of_dense(arm, head.name, result, draw.asked, draw.used, seed, draw.note))
    if places is not None and not alone:
        places = places.take(used)
        for seed, draw in draws:
            result = position_floor(targets, places, groups, draw.rows[used], test, seed=seed)
            report_rows.append(ProbeRow.of_dense(POSITION, "trees", result, draw.asked, draw.used, seed, draw.note))
    report = ProbeReport(
        label=MASKS,
        task="segmentation",
        classes=targets.classes,
        group=split.group,
        test_groups=part_split.test_groups,
        transductive=split.transductive,
        supervised=masks_read,
        dropped=int((sides & ~available).sum()),
        rows=tuple(report_rows),
        notes=(*(one for one in (unfinished, *split.notes, *remarks, overlap) if one), _settings(fit, levels)),
    )
    report.write(run.folder)
    return report


def _arms(run: Run, masks_read: int) -> Iterator[tuple[str, Encoder]]:
    yield (
        "frozen encoder" + (f" (supervised contrastive, saw {masks_read} masks)" if masks_read else ""),
        run.encoder(),
    )
    yield RANDOM, run.untrained_encoder()
    if run.config.encoder.init != "random":
        yield "initial weights, no further training", encoder_at_start(run)


def mask_notes(
    table: SampleTable, targets: DenseTargets, names: Mapping[int, str] | Sequence[str] | None = None
) -> tuple[str, ...]:
    """Sentences on what scores of masks stand for.

    Args:
        table: The rows of the masks.
        targets: The masks.
        names: Names of the classes that were given; None where those of the scan are taken.
    """
    notes = [f"{', '.join(POOLED)}: of the pixels of all test groups together, the background among them"]
    if not targets.background:
        notes = [f"{', '.join(POOLED)}: of the pixels of all test groups together"]
    if targets.background and not names and not mask_names(table):
        notes.append("number 0 of the masks has no name: it is the background, which has no Dice")
    size = targets.canvas.size
    longest = max((max(targets.native.shape(row)) for row in range(len(targets))), default=0)
    if longest > _SHRUNK * size:
        where = f"masks of up to {longest} pixels a side are predicted on a canvas of {size}, and enlarged"
        notes.append(f"{where}: fine borders can't be right")
    return tuple(notes)


def masks_read_by(run: Run, table: SampleTable, masks: MaskStore) -> int:
    """Number of training rows whose mask the rule read, through columns that the scan computed from masks."""
    objective = Objective.of(parse(run.config.pairs.rule))
    made: NDArray[np.str_] = np.array(list(table.meta.options.get("mask_columns") or ()), dtype=str)
    if not set(made.tolist()) & set(objective.columns) or run.config.pairs.shuffle_metadata is not None:
        return 0
    trained = table.frame["sample"].is_in(list(run.training_samples)).to_numpy()
    return int((trained & (masks.positions(table) >= 0)).sum())


def _settings(fit: DenseFit, levels: Levels) -> str:
    maps = "the maps of all stages" if levels == "hypercolumn" else "the last map"
    loss = "cross-entropy" + (" and soft Dice" if fit.dice else "")
    return f"heads read {maps}; {fit.steps} steps of {fit.batch} pictures by {loss}, no class weights, in every arm"


def _progress_of(progress: Callable[[str, int, int], None], name: str) -> Callable[[int, int], None]:
    return lambda done, of: progress(name, done, of)
