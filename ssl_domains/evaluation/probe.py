"""Probe a run: its frozen encoder beside random initialisation and nuisance-only floors, on one split."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine.loop.initial import encoder_at_start
from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation.embed import embed, embed_rows
from ssl_domains.evaluation.probe_report import ProbeReport, ProbeRow
from ssl_domains.evaluation.sources import run_store, run_table
from ssl_domains.evaluation.split import EvaluationSplit, evaluation_split
from ssl_domains.pairs import Objective, parse
from ssl_domains.probes import (
    KnnProbe,
    Labels,
    LinearProbe,
    Probe,
    Task,
    TreeProbe,
    floor_features,
    label_draws,
    read_labels,
    run_probe,
)
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["RANDOM", "probe_run"]

RANDOM = "random initialisation"
"""Name of the arm that every other one has to beat."""


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
    seeds: Sequence[int] = (0,),
    task: Task | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> ProbeReport:
    """Probe a label column and keep the report as ``probe-LABEL.json`` in the run's folder.

    Args:
        run: The run.
        label: Column to predict; rows without a value are dropped and counted.
        table: The samples; None takes those the run names.
        store: Their arrays; None takes the one the run names.
        group: Column whose groups stay whole, the unit of `fractions`; None takes the one the table was split by.
        fractions: Shares of the labelled training groups.
        floors: Name → columns of the table that a floor may use, such as ``{"position alone": ("position",)}``.
        seeds: Draws of labelled groups; draw k is the same for every arm.
        task: Forces the task; None goes by the column.
        progress: Called with what is being embedded, rows done, rows in all.

    Raises:
        UsageError: When a column is missing, a fraction is not in (0, 1], the task does not fit the column, or the
            label is the group, so that no class of the test rows has a training row.
        DataError: When the labels are of one class, or a side of the split has none.
    """
    table = run_table(run) if table is None else table
    store = run_store(run) if store is None else store
    labels = read_labels(table.column(label), task)
    if label in table.meta.identifiers:  # reports name classes, and never an identifier
        labels = replace(labels, classes=tuple(f"no. {code}" for code in range(1, len(labels.classes) + 1)))
    for columns in (floors or {}).values():
        floor_features(table, columns)  # a misspelt column ends it here, not after embedding
    split = evaluation_split(table, group, run.training_samples)
    decoded = store.positions(table) >= 0
    usable = (split.train | split.test) & labels.known
    unread = int((usable & ~decoded).sum())
    rows = np.flatnonzero(usable & decoded)
    if not len(rows):
        raise DataError(f"no row has both a split and a label {label!r}", "probe another column")
    part, kept = table.take(rows), labels.take(rows)
    sides = EvaluationSplit(split.train[rows], split.test[rows], split.groups[rows], split.group)
    _require_shared_classes(label, kept, sides)
    draws = [(seed, draw) for seed in seeds for draw in label_draws(kept, sides.groups, sides.train, fractions, seed)]
    saw = _labels_seen(run, label, table, labels)
    found: list[ProbeRow] = []
    for arm in _arms(run, table, part, store, floors or {}, saw, progress):
        for seed, draw in draws:
            for probe in arm.probes:
                result = run_probe(probe, arm.x, kept, sides.groups, draw.rows, sides.test, seed=seed)
                found.append(ProbeRow.of(arm.name, probe.name, result, draw.asked, draw.used, seed, draw.note))
    notes = (*split.notes, *([f"{unread} labelled rows could not be read"] if unread else []))
    report = ProbeReport(
        label=label,
        task=labels.task,
        classes=labels.classes,
        group=split.group,
        test_groups=sides.test_groups,
        transductive=split.transductive,
        supervised=saw,
        dropped=int(((split.train | split.test) & ~labels.known).sum()),
        rows=tuple(found),
        notes=notes,
    )
    report.write(run.folder)
    return report


def _arms(
    run: Run,
    table: SampleTable,
    part: SampleTable,
    store: ArrayStore,
    floors: Mapping[str, Sequence[str]],
    saw: int,
    progress: Callable[[str, int, int], None] | None,
) -> Iterator[_Arm]:
    """Features of each arm for the rows of ``part``, one arm in memory at a time."""
    frozen: tuple[Probe, ...] = (LinearProbe(), KnnProbe())

    def telling(name: str) -> Callable[[int, int], None] | None:
        return None if progress is None else lambda done, of: progress(name, done, of)

    name = "frozen encoder"
    if saw:
        name += f" (supervised contrastive, saw {saw} labels)"
    every = embed(run, table, store, progress=telling("frozen encoder"))
    joined = part.frame.select("sample").join(every, on="sample", how="left", maintain_order="left")
    yield _Arm(name, joined["embedding"].to_numpy(), frozen)

    starts = [(RANDOM, run.untrained_encoder())]
    if run.config.encoder.init != "random":
        starts.append(("initial weights, no further training", encoder_at_start(run)))
    for name, encoder in starts:
        x = embed_rows(encoder, run.preprocess, part, store, device=run.config.train.device, progress=telling(name))
        yield _Arm(name, x, frozen)
    for name, columns in floors.items():
        yield _Arm(f"{name} ({', '.join(columns)})", floor_features(part, columns), (TreeProbe(),))


def _labels_seen(run: Run, label: str, table: SampleTable, labels: Labels) -> int:
    """How many labels of the probed column the rule read while pre-training; a shuffled column told nothing."""
    objective = Objective.of(parse(run.config.pairs.rule))
    if label not in objective.columns or run.config.pairs.shuffle_metadata is not None:
        return 0
    rows = table.frame["sample"].is_in(list(run.training_samples)).to_numpy()
    return int((labels.known & rows).sum())


def _require_shared_classes(label: str, labels: Labels, sides: EvaluationSplit) -> None:
    if labels.task != "classification" or np.isin(labels.y[sides.test], labels.y[sides.train]).any():
        return
    if len(np.unique(labels.y[sides.train])) < 2 or not sides.test.any():
        return  # the probe itself says so
    what = "is the group" if label == sides.group else "is different in every group"
    cause = f"the label {label!r} {what} that stays whole: no class of the test rows has a training row"
    raise UsageError(cause, "probe another column, or name another --group; `pairs --label` compares it with a rule")
