"""From files or a sample table to the predictions of a fine-tuned model."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.console import error, note
from ssl_domains.cli.work.scan import is_table, nothing_to_read, read_source
from ssl_domains.cli.work.tables import fill_store, open_table
from ssl_domains.errors import DataError, UsageError
from ssl_domains.extending import Domain

if TYPE_CHECKING:
    import polars as pl

    from ssl_domains.engine import Run
    from ssl_domains.finetuning import FineTuned
    from ssl_domains.prediction import Predicted
    from ssl_domains.samples import SampleTable

__all__ = ["predict_to"]

Progress = Callable[[str, int, int], None]


def predict_to(
    domain: Domain,
    run: Path,
    source: Path,
    out: Path,
    *,
    options: Mapping[str, Any] | None = None,
    beam: int | None = None,
    progress: Progress | None = None,
) -> Predicted:
    """Predict a source with the model of a run folder.

    Files are scanned as for ``scan``; the table and the decoded arrays lie in a folder beside ``out`` until the end.
    Of a sample table all rows are predicted, and its store is filled and kept.

    Args:
        domain: The domain of the source.
        run: Folder of a fine-tuned run.
        source: Folder or file of the domain, or a sample table.
        out: What to write, see `ssl_domains.prediction.predict`.
        options: Options of the domain: those of its files of masks, and for files those of its scan. Options that
            decide what an array shows have the values of the training table when they are not given.
        beam: Number of prefixes that decoding of texts keeps; None takes the best path.
        progress: Called as ``progress("predicting", done, total)``, and likewise while files are read and written.

    Raises:
        UsageError: When the run is not fine-tuned or was trained on another domain, the source is missing or of
            another domain, or ``out`` is there already.
        DataError: When nothing of the source can be read, or the model can take none of it.
    """
    from ssl_domains.engine import Run
    from ssl_domains.finetuning import TASK_FILE, FineTuned
    from ssl_domains.prediction import require_new_output

    opened = Run.open(run)
    _require_domain(opened, domain)
    if not (opened.folder / TASK_FILE).is_file():
        raise UsageError(
            f"the run {run.name!r} is not fine-tuned: it was trained without labels and predicts nothing",
            f"ssl-domains {domain.name} finetune SAMPLES --from {run} --label COLUMN --out RUN2",
        )
    model = FineTuned.open(opened)
    require_new_output(out, model.task)
    if unfinished := model.run.unfinished_remark():
        error("warning", unfinished, "finetune --resume goes on")
    if not source.exists():
        raise UsageError(f"there is no source {str(source)!r}", "name a folder or a file of the domain, or a table")
    given = dict(options or {})
    maps = {option.name: given.pop(option.name) for option in domain.map_options if option.name in given}
    if maps and model.task.kind != "segmentation":
        raise UsageError(
            f"--{next(iter(maps)).replace('_', '-')} is for masks, and the run predicts {model.task.label!r}",
            "leave it out",
        )
    if beam is not None and model.task.kind != "transcription":
        raise UsageError(f"--beam is for texts, and the run predicts {model.task.label!r}", "leave it out")
    if beam is not None and beam < 1:
        raise UsageError(f"--beam {beam} keeps no prefix", "1 is greedy decoding, 10 a usual beam")
    if not is_table(source):
        return _of_files(domain, model, source, out, given, maps, progress, beam or 1)
    if given:
        flag = next(option.flag for option in domain.scan_options if option.name in given)
        raise UsageError(f"{flag} is for files, and {str(source)!r} is a table", "leave it out, or name the files")
    table = open_table(domain, source)
    return _predict(domain, model, table, None, out, maps, progress, samples=source, beam=beam or 1)


def _of_files(
    domain: Domain,
    model: FineTuned,
    source: Path,
    out: Path,
    given: dict[str, Any],
    maps: Mapping[str, Any],
    progress: Progress | None,
    beam: int,
) -> Predicted:
    chosen = _repeated(domain, model.run) | given
    with _beside(out) as folder:
        result = read_source(domain, source, chosen, folder / "journal", progress)
        for text in result.notes:
            note(f"note: {text}")
        if not len(result.samples):
            raise _nothing(domain, source, result.problems)
        table = replace(result.samples, meta=replace(result.samples.meta, domain=domain.name))
        root = source if source.is_dir() else source.parent
        made = _predict(
            domain, model, table, root, out, maps, progress, folder / "samples.parquet", result.problems, beam=beam
        )
    return made


def _predict(
    domain: Domain,
    model: FineTuned,
    table: SampleTable,
    root: Path | None,
    out: Path,
    maps: Mapping[str, Any],
    progress: Progress | None,
    samples: Path,
    problems: pl.DataFrame | None = None,
    *,
    beam: int = 1,
) -> Predicted:
    from ssl_domains.prediction import predict
    from ssl_domains.stores import default_store

    store = fill_store(domain, table, default_store(samples))
    shown = None if progress is None else partial(progress, "predicting")
    writing = None if progress is None else _megabytes(progress, "writing the predictions, MB")
    return predict(
        model, table, store, out, map_files=domain.map_files and partial(domain.map_files, **maps), root=root,
        text_files=domain.text_files, beam=beam, problems=problems, progress=shown, writing=writing, notice=note,
    )  # fmt: skip


def _megabytes(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, of: progress(what, done // 10**6, of // 10**6)


def _require_domain(run: Run, domain: Domain) -> None:
    trained = run.table_meta.domain
    if trained not in ("", domain.name):
        raise UsageError(
            f"the run {run.folder.name!r} was trained on data of {trained}, not of {domain.name}",
            f"ssl-domains {trained} predict …",
        )


def _repeated(domain: Domain, run: Run) -> dict[str, Any]:
    """Options that decide what an array shows, as the training table was scanned; and those that `predict` sets."""
    recorded = run.table_meta.options
    chosen = {
        option.name: recorded.get(option.name) if option.repeat else option.predict for option in domain.scan_options
    }
    return {name: value for name, value in chosen.items() if value is not None}


def _nothing(domain: Domain, source: Path, problems: pl.DataFrame) -> DataError:
    if not len(problems):
        return nothing_to_read(domain, source)
    return DataError(
        f"none of the {len(problems)} entries of {str(source)!r} could be read, the first because: "
        f"{problems['cause'][0]}",
        f"ssl-domains {domain.name} scan {source} -o samples.parquet lists every cause",
    )


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """An empty folder beside ``out`` for the time of the work; no other process works for the same ``out``.

    What a killed process left is removed by the next call for the same ``out``.

    Raises:
        UsageError: When another process predicts to ``out``, or the folder can't be made.
    """
    from ssl_domains.samples import only_one, write_errors

    folder = out.with_name(f".predicting-{out.name}")
    with write_errors(f"the predictions {str(out)!r}"):
        out.parent.mkdir(parents=True, exist_ok=True)
        with only_one(out.with_name(f".predicting-{out.name}.lock"), f"{str(out)!r} is being written", keep=False):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
