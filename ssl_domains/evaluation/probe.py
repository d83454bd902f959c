"""Probe a run: score its frozen encoder, random initialisation and nuisance-only floors on the same split."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine.loop.initial import encoder_at_start
from ssl_domains.errors import UsageError
from ssl_domains.evaluation.embed import embed, embed_rows
from ssl_domains.evaluation.labelled import labelled_rows
from ssl_domains.evaluation.probe_report import ProbeReport, ProbeRow, probe_path
from ssl_domains.evaluation.sources import run_store, run_table
from ssl_domains.evaluation.split import EvaluationSplit
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
    run_probe,
)
from ssl_domains.samples import SampleTable, require_target
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Tiling

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["RANDOM", "labels_read_by", "probe_run", "require_shared_classes"]


RANDOM = "random initialisation"
"""Name of the arm with an untrained encoder, the baseline of the others."""


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
    tiling: Tiling | None = None,
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
        seeds: Numbers of the draws of labelled groups; each draw is the same for every arm.
        task: The task; None chooses it by the column.
        tiling: Grid of tiles of each sample, over which features are averaged; only for a run whose views show crops.
        progress: Called with what is being done, and how much of it is done and to do: rows embedded, probes fitted.

    Raises:
        UsageError: When a column is missing, a fraction is not in (0, 1], the task does not fit the column, or the
            label is the group, so that no class of the test rows has a training row; when the run folder can't be
            written to.
        DataError: When all labels are of one class, or a side of the split has no label.
    """
    require_target(probe_path(run.folder, label))
    unfinished = run.unfinished_remark()
    table = run_table(run) if table is None else table
    store = run_store(run) if store is None else store
    table.label(label)
    for columns in (floors or {}).values():
        floor_features(table, columns)  # a misspelt column raises here, before the slow embedding
    labelled = labelled_rows(
        table, store, label, group=group, trained=run.training_samples, meta=run.table_meta, task=task
    )
    labels, kept, sides = labelled.labels, labelled.kept, labelled.split
    part = table.take(labelled.rows)
    require_shared_classes(label, kept, sides)
    draws = [(seed, draw) for seed in seeds for draw in label_draws(kept, sides.groups, sides.train, fractions, seed)]
    labels_read = labels_read_by(run, label, table, labels)
    report_rows: list[ProbeRow] = []
    for arm in _arms(run, table, part, store, floors or {}, labels_read, tiling, progress):
        fits = [(seed, draw, probe) for seed, draw in draws for probe in arm.probes]
        for done, (seed, draw, probe) in enumerate(fits, start=1):
            result = run_probe(probe, arm.x, kept, sides.groups, draw.rows, sides.test, seed=seed)
            report_rows.append(ProbeRow.of(arm.name, probe.name, result, draw.asked, draw.used, seed, draw.note))
            if progress is not None:
                progress(f"fitting probes on {arm.name}", done, len(fits))
    notes = (*([unfinished] if unfinished else []), *labelled.notes, *_shown(run, tiling))
    report = ProbeReport(
        label=label,
        task=labels.task,
        classes=labels.classes,
        group=sides.group,
        test_groups=sides.test_groups,
        transductive=sides.transductive,
        supervised=labels_read,
        dropped=labelled.dropped,
        rows=tuple(report_rows),
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

    starts = [(RANDOM, run.untrained_encoder())]
    if run.config.encoder.init != "random":
        starts.append(("initial weights, no further training", encoder_at_start(run)))
    for name, encoder in starts:
        x = embed_rows(
            encoder, run.preprocess, part, store, device=run.config.train.device, crop=run.crop, tiling=tiling,
            progress=progress_of(name),
        )  # fmt: skip
        yield _Arm(name, x, frozen)
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


def require_shared_classes(label: str, labels: Labels, sides: EvaluationSplit) -> None:
    """Refuse a label whose test classes have no training row, such as the group itself.

    Raises:
        UsageError: When no class of the test rows has a training row.
    """
    if labels.task != "classification" or np.isin(labels.y[sides.test], labels.y[sides.train]).any():
        return
    if len(np.unique(labels.y[sides.train])) < 2 or not sides.test.any():
        return  # the probe itself says so
    what = "is the group" if label == sides.group else "is different in every group"
    cause = f"the label {label!r} {what} that stays whole: no class of the test rows has a training row"
    raise UsageError(cause, "probe another column, or name another --group; `pairs --label` compares it with a rule")
