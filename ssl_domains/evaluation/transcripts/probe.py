"""The frozen probe of transcripts: a CTC head on the frames of the frozen encoder, beside random initialisation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ssl_domains.encoders import Encoder
from ssl_domains.engine.loop.initial import encoder_at_start
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.errors import DataError
from ssl_domains.evaluation.probe import RANDOM, label_draw_of_each, labels_read_by
from ssl_domains.evaluation.probe_report import ProbeReport, ProbeRow, probe_path
from ssl_domains.evaluation.sources import run_store, run_table
from ssl_domains.evaluation.transcripts.frames import frame_features
from ssl_domains.evaluation.transcripts.rows import transcribed_rows
from ssl_domains.probes.transcripts import TRANSCRIPTION, TranscriptFit, read_transcripts, run_transcript_probe
from ssl_domains.samples import SampleTable, require_target
from ssl_domains.stores import ArrayStore

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["CTC", "transcript_probe_run"]

CTC = "CTC"
"""Name of the probe in tables."""


def transcript_probe_run(
    run: Run,
    column: str,
    *,
    table: SampleTable | None = None,
    store: ArrayStore | None = None,
    group: str | None = None,
    fractions: Sequence[float] = (1.0,),
    seeds: Sequence[int] = (0,),
    fit: TranscriptFit | None = None,
    alphabet: str | None = None,
    alone: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> ProbeReport:
    """Probe a column of transcripts and write the report to ``probe-COLUMN.json`` in the run's folder.

    Args:
        run: The run.
        column: The column of transcripts; rows without one are left out and counted.
        table: The samples; None takes those the run names.
        store: Their arrays; None takes the one the run names.
        group: Column of the groups, such as the writer, each held out as a whole; None takes the one the table was
            split by.
        fractions: Shares of the labelled training groups.
        seeds: Numbers of the draws of labelled groups, and seeds of the heads; each draw is the same for every arm.
        fit: Settings of the fit.
        alphabet: Characters that can be written; None takes those of the training rows.
        alone: Whether to leave out random initialisation and initial weights.
        progress: Called with what is being done, and how much of it is done and to do.

    Raises:
        UsageError: When a column is missing or holds no text, a fraction is not in (0, 1], or the encoder gives no
            sequence of frames; when the run folder can't be written to.
        DataError: When no row has a transcript, or none of the training rows fits its frames; when a side is empty.
    """
    fit = fit or TranscriptFit()
    require_target(probe_path(run.folder, column))
    unfinished = run.unfinished_remark()
    table = run_table(run) if table is None else table
    store = run_store(run) if store is None else store
    encoder = run.encoder()
    found = transcribed_rows(
        encoder, run.preprocess, table, store, column, group=group, trained=run.training_samples, meta=run.table_meta,
        alphabet=alphabet,
    )  # fmt: skip
    transcripts, split = found.transcripts, found.split
    if not split.test.any():
        raise DataError(f"no test row has a transcript {column!r}", "transcribe lines of test groups, or split again")
    labels_read = labels_read_by(run, column, table, read_transcripts(table.label(column)))
    draws = label_draw_of_each(transcripts, split.groups, split.train, fractions, seeds)
    part, device = table.take(found.rows), run.config.train.device
    rows = []
    for name, one in itertools.islice(_arms(run, encoder, labels_read), 1 if alone else None):
        features = frame_features(
            one, run.preprocess, part, store, device=device, workers=run.config.data.workers, crop=run.crop,
            progress=None if progress is None else _progress_of(progress, f"embedding by {name}"),
        )  # fmt: skip
        for done, (seed, draw) in enumerate(draws, start=1):
            result = run_transcript_probe(
                features, transcripts, split.groups, draw.rows, split.test, fit=fit, seed=seed,
                device=resolve_device(device),
            )  # fmt: skip
            rows.append(ProbeRow.of_transcripts(name, CTC, result, draw.asked, draw.used, seed, draw.note))
            if progress is not None:
                progress(f"fitting probes on {name}", done, len(draws))
    report = ProbeReport(
        label=column,
        task=TRANSCRIPTION,
        classes=(),
        group=split.group,
        test_groups=split.test_groups,
        transductive=split.transductive,
        supervised=labels_read,
        dropped=found.dropped,
        rows=tuple(rows),
        notes=(*([unfinished] if unfinished else []), *found.notes, _settings(fit)),
    )
    report.write(run.folder)
    return report


def _arms(run: Run, encoder: Encoder, labels_read: int) -> Iterator[tuple[str, Encoder]]:
    read = f" (supervised contrastive, saw {labels_read} labels)" if labels_read else ""
    yield f"frozen encoder{read}", encoder
    yield RANDOM, run.untrained_encoder()
    if run.config.encoder.init != "random":
        yield "initial weights, no further training", encoder_at_start(run)


def _settings(fit: TranscriptFit) -> str:
    return (
        f"a linear CTC head on the frames; {fit.steps} steps of {fit.batch} lines, greedy decoding, in every arm; "
        "character accuracy is 1 − CER"
    )


def _progress_of(progress: Callable[[str, int, int], None], what: str) -> Callable[[int, int], None]:
    return lambda done, of: progress(what, done, of)
