"""Probe a run: score its frozen encoder, random initialisation and nuisance-only floors on the same split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine.loop.initial import encoder_at_start
from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation.embed import embed, embed_rows
from ssl_domains.evaluation.handmade import handmade_features
from ssl_domains.evaluation.labelled import labelled_rows
from ssl_domains.evaluation.probe_report import ProbeReport, ProbeRow, probe_path
from ssl_domains.evaluation.sources import run_store, run_table
from ssl_domains.evaluation.split import EvaluationSplit, fold_sides
from ssl_domains.pairs import Objective, parse
from ssl_domains.probes import (
    KnnProbe,
    LabelDraw,
    Labels,
    LinearProbe,
    Probe,
    Task,
    TreeProbe,
    floor_features,
    label_draws,
    run_probe,
    standardised_within,
)
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable, require_target
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Tiling

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["RANDOM", "labels_read_by", "probe_run", "require_shared_classes"]


RANDOM = "random initialisation"
"""Name of the arm with an untrained encoder, the baseline of the others."""


Features = Callable[[NDArray[Any]], NDArray[Any]]
"""From inputs of the encoder ``[b, C, S, S]`` to features ``[b, F]``."""


@dataclass(frozen=True)
class _Arm:
    name: str
    x: NDArray[Any]
    probes: tuple[Probe, ...]


def probe_run(
    run: Run,
    label: str,
    *,
    table: SampleTable | None = None,
    store: ArrayStore | None = None,
    group: str | None = None,
    fractions: Sequence[float] = (1.0,),
    floors: Mapping[str, Sequence[str]] | None = None,
    handmade: Mapping[str, Features] | None = None,
    alone: bool = False,
    seeds: Sequence[int] = (0,),
    task: Task | None = None,
    tiling: Tiling | None = None,
    folds: int | None = None,
    standardise_by: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> ProbeReport:
    """Probe a label column and write the report to ``probe-LABEL.json`` in the run's folder.

    Args:
        run: The run.
        label: Column to predict; rows without a value are dropped and counted.
        table: The samples; None takes those the run names.
        store: Their arrays; None takes the one the run names.
        group: Column of the groups, which are held out as a whole; None takes the one the table was split by.
        fractions: Shares of the labelled training groups.
        floors: Name → columns of the table that a floor may use, such as ``{"position alone": ("position",)}``.
        handmade: Name → function from inputs of the encoder to hand-made features, a floor with a linear probe; see
            `handmade_features`.
        alone: Whether to probe the frozen encoder and the given floors only, without random initialisation.
        seeds: Numbers of the draws of labelled groups; each draw is the same for every arm. Where a fraction is all
            groups, every draw is the same, and only the first is probed.
        task: The task; None chooses it by the column.
        tiling: Grid of tiles of each sample, over which features are averaged; only for a run whose views show crops.
        folds: Number of folds in which all groups are held out in turn, in place of the split of the table;
            `EACH_GROUP` holds out one group at a time. The encoder stays the same, so groups that it was pre-trained on
            are tested, too: the title says so.
        standardise_by: Column such as the speaker. Features are probed a second time, standardised within each of its
            groups, those of the test rows included: a transductive measure, which the name of the arm says.
        progress: Called with what is being done, and how much of it is done and to do: rows embedded, probes fitted.

    Raises:
        UsageError: When a column is missing, a fraction is not in (0, 1], the task does not fit the column, or the
            label is the group, so that no class of the test rows has a training row; when the run folder can't be
            written to.
        DataError: When all labels are of one class, or a side of the split has no label.
    """
    require_target(probe_path(run.folder, label, folds_of=None if folds is None else group))
    unfinished = run.unfinished_remark()
    table = run_table(run) if table is None else table
    store = run_store(run) if store is None else store
    table.label(label)
    for columns in (floors or {}).values():
        floor_features(table, columns)  # a misspelt column raises here, before the slow embedding
    labelled = labelled_rows(
        table, store, label, group=group, trained=run.training_samples, meta=run.table_meta, task=task,
        folds=folds is not None,
    )  # fmt: skip
    labels, kept, sides = labelled.labels, labelled.kept, labelled.split
    part = table.take(labelled.rows)
    cuts = [(sides.train, sides.test)] if folds is None else fold_sides(kept, sides.groups, folds)
    require_shared_classes(label, kept, [replace(sides, train=train, test=test) for train, test in cuts])
    draws = [
        (fold, test, seed, draw)
        for fold, (train, test) in enumerate(cuts)
        for seed, draw in _draws(kept, sides.groups, train, fractions, seeds)
    ]
    within = None if standardise_by is None else _groups_within(part, standardise_by)
    labels_read = labels_read_by(run, label, table, labels)
    report_rows: list[ProbeRow] = []
    arms = _arms(run, table, part, store, floors or {}, handmade or {}, alone, labels_read, tiling, progress)
    for arm in arms if within is None or standardise_by is None else _twice(arms, standardise_by, within):
        fits = [(fold, test, seed, draw, probe) for fold, test, seed, draw in draws for probe in arm.probes]
        for done, (fold, test, seed, draw, probe) in enumerate(fits, start=1):
            result = run_probe(probe, arm.x, kept, sides.groups, draw.rows, test, seed=seed)
            report_rows.append(
                ProbeRow.of(arm.name, probe.name, result, draw.asked, draw.used, seed, draw.note, fold=fold)
            )
            if progress is not None:
                progress(f"fitting probes on {arm.name}", done, len(fits))
    notes = (*([unfinished] if unfinished else []), *labelled.notes, *_shown(run, tiling))
    report = ProbeReport(
        label=label,
        task=labels.task,
        classes=labels.classes,
        group=sides.group,
        test_groups=sides.test_groups if folds is None else len(np.unique(sides.groups)),
        transductive=sides.transductive,
        supervised=labels_read,
        dropped=labelled.dropped,
        rows=tuple(report_rows),
        notes=notes,
        folds=0 if folds is None else len(cuts),
    )
    report.write(run.folder)
    return report


def _draws(
    labels: Labels,
    groups: NDArray[np.int64],
    train: NDArray[np.bool_],
    fractions: Sequence[float],
    seeds: Sequence[int],
) -> list[tuple[int, LabelDraw]]:
    """(seed, draw) of every draw; a draw of all groups only once for each fraction."""
    draws = [(seed, draw) for seed in seeds for draw in label_draws(labels, groups, train, fractions, seed)]
    return [(seed, draw) for seed, draw in draws if seed == seeds[0] or draw.used < 1.0]


def _groups_within(part: SampleTable, column: str) -> NDArray[np.int64]:
    """Codes of the groups within which features are standardised.

    Raises:
        UsageError: When there is no such column.
        DataError: When a row has no group.
    """
    part.column(column)
    codes = part.codes(column)
    missing = int((codes < 0).sum())
    if missing:
        raise DataError(
            f"{plural(missing, 'row')} with a label without {column!r}, by which features are to be standardised",
            "standardise by another column, or probe a table without these rows: --samples TABLE",
        )
    return codes


def _twice(arms: Iterable[_Arm], column: str, groups: NDArray[np.int64]) -> Iterator[_Arm]:
    """Each arm, and after it the same features standardised within the groups; floors of columns stay as they are."""
    for arm in arms:
        yield arm
        if not isinstance(arm.probes[0], TreeProbe):
            name = f"{arm.name}, standardised by {column!r} (transductive)"
            yield _Arm(name, standardised_within(arm.x, groups), arm.probes)


def _arms(
    run: Run,
    table: SampleTable,
    part: SampleTable,
    store: ArrayStore,
    floors: Mapping[str, Sequence[str]],
    handmade: Mapping[str, Features],
    alone: bool,
    labels_read: int,
    tiling: Tiling | None,
    progress: Callable[[str, int, int], None] | None,
) -> Iterator[_Arm]:
    """Features of each arm for the rows of ``part``, one arm in memory at a time."""
    frozen: tuple[Probe, ...] = (LinearProbe(), KnnProbe())

    def progress_of(name: str) -> Callable[[int, int], None] | None:
        return None if progress is None else lambda done, of: progress(f"embedding by {name}", done, of)

    name = "frozen encoder"
    if labels_read:
        name += f" (supervised contrastive, saw {labels_read} labels)"
    embeddings = embed(run, table, store, tiling=tiling, progress=progress_of("frozen encoder"))
    joined = part.frame.select("sample").join(embeddings, on="sample", how="left", maintain_order="left")
    yield _Arm(name, joined["embedding"].to_numpy(), frozen)

    starts = [] if alone else [(RANDOM, run.untrained_encoder())]
    if not alone and run.config.encoder.init != "random":
        starts.append(("initial weights, no further training", encoder_at_start(run)))
    for name, encoder in starts:
        x = embed_rows(
            encoder, run.preprocess, part, store, device=run.config.train.device, crop=run.crop, tiling=tiling,
            progress=progress_of(name),
        )  # fmt: skip
        yield _Arm(name, x, frozen)
    for name, extract in handmade.items():
        x = handmade_features(
            extract, run.preprocess, part, store, crop=run.crop, tiling=tiling, progress=progress_of(name)
        )  # fmt: skip
        yield _Arm(f"{name} (hand-made)", x, (LinearProbe(),))
    for name, columns in floors.items():
        yield _Arm(f"{name} ({', '.join(columns)})", floor_features(part, columns), (TreeProbe(),))


def _shown(run: Run, tiling: Tiling | None) -> tuple[str, ...]:
    """A remark on the part of a sample that the encoders see, where the run's views show crops."""
    if run.crop is None:
        return ()
    if tiling is not None:
        return (f"features are means over {tiling.words}",)
    whole = "the whole sample" if run.preprocess.spec.ragged else "the centre of a sample; --tile shows all of it"
    return (f"the encoders see {whole}",)


def labels_read_by(run: Run, label: str, table: SampleTable, labels: Labels) -> int:
    """Number of labels of the probed column that the rule read in pre-training; 0 when the column was shuffled."""
    objective = Objective.of(parse(run.config.pairs.rule))
    if label not in objective.columns or run.config.pairs.shuffle_metadata is not None:
        return 0
    rows = table.frame["sample"].is_in(list(run.training_samples)).to_numpy()
    return int((labels.known & rows).sum())


def require_shared_classes(label: str, labels: Labels, splits: Sequence[EvaluationSplit]) -> None:
    """Refuse a label whose test classes have no training row, such as the group itself.

    Raises:
        UsageError: When in no fold a class of the test rows has a training row.
    """
    if labels.task != "classification":
        return
    if any(np.isin(labels.y[one.test], labels.y[one.train]).any() for one in splits):
        return
    if any(len(np.unique(labels.y[one.train])) < 2 or not one.test.any() for one in splits):
        return  # the probe itself says so
    what = "is the group" if label == splits[0].group else "is different in every group"
    cause = f"the label {label!r} {what} that stays whole: no class of the test rows has a training row"
    raise UsageError(cause, "probe another column, or name another --group; `pairs --label` compares it with a rule")
