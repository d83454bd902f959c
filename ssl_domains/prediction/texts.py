"""Write the texts of a recogniser: a table of all of them, and files of the domain, such as PAGE-XML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import PluginError
from ssl_domains.probes.transcripts import TRANSCRIPTION, tidy_text
from ssl_domains.quantities import plural
from ssl_domains.samples import (
    Problems,
    ReadError,
    SampleTable,
    TextFiles,
    TextPlan,
    Transcribed,
    write_errors,
    write_problems,
    write_whole,
    write_whole_folder,
)
from ssl_domains.samples.tables.places import portable_paths
from ssl_domains.stores import ArrayStore

if TYPE_CHECKING:
    from ssl_domains.finetuning import FineTuned, Task

__all__ = ["PAGES", "TEXTS", "WrittenTexts", "check_text_plan", "is_texts_folder", "text_frame", "write_texts"]

TEXTS, PAGES = "transcripts.csv", "pages"
_NAMED = 5


@dataclass(frozen=True)
class WrittenTexts:
    """What `write_texts` wrote.

    Attributes:
        files: Number of files of the domain.
        problems: Columns ``path`` and ``cause``: what was left out.
        notes: Sentences for the user.
    """

    files: int
    problems: pl.DataFrame
    notes: tuple[str, ...]


def is_texts_folder(out: Path, task: Task) -> bool:
    """Whether texts are written into a folder, with the files of the domain; else into one CSV file."""
    return task.kind == TRANSCRIPTION and out.suffix.lower() != ".csv"


def write_texts(
    model: FineTuned,
    table: SampleTable,
    store: ArrayStore,
    rows: NDArray[np.int64],
    out: Path,
    *,
    trained: NDArray[np.bool_],
    left_out: pl.DataFrame,
    text_files: TextFiles | None = None,
    root: Path | None = None,
    beam: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> WrittenTexts:
    """Transcribe some rows, and write the texts to a CSV file, or to a folder with the files of the domain.

    Args:
        model: The recogniser.
        table: The samples.
        store: Their arrays.
        rows: Rows that the model can take.
        out: A file ``NAME.csv``, or a folder; see `is_texts_folder`.
        trained: Which rows the model was trained on, bool ``[n]``.
        left_out: Columns ``path`` and ``cause``: samples that are not transcribed.
        text_files: Plans the files of the domain; None for none.
        root: Folder that was scanned; None for a table of samples.
        beam: Number of prefixes that decoding keeps; 1 takes the best path.
        progress: Called with the number of rows done and of all rows.

    Raises:
        PluginError: When the plan has a name twice or outside of the folder, or a row in two files.
        UsageError: When ``out`` can't be written to.
        ResourceError: When the disk is full.
    """
    part = table.take(rows)
    answers = model.transcripts(part, store, beam=beam, progress=progress)
    notes = tuple(one for one in (_unwritable(table, model.task),) if one)
    frame = text_frame(part, answers, trained[rows])
    if not is_texts_folder(out, model.task):
        with write_errors(f"the predictions {str(out)!r}"):
            write_problems(left_out, out)
            write_whole(out, portable_paths(frame, out).write_csv)
        return WrittenTexts(0, left_out, notes)
    plan = TextPlan((), ("the domain has no files of its own for texts",))
    if text_files is not None:
        plan = text_files(table, root)
    results: list[WrittenTexts] = []

    def write(folder: Path) -> None:
        files, unread = _write_files(plan, table, dict(zip(rows.tolist(), answers, strict=True)), folder)
        results.append(WrittenTexts(files, pl.concat([left_out, unread]), (*notes, *plan.notes)))
        portable_paths(frame, out / TEXTS).write_csv(folder / TEXTS)
        write_problems(results[-1].problems, folder / TEXTS)

    with write_errors(f"the predictions {str(out)!r}"):
        write_whole_folder(out, write)
    return results[-1]


def text_frame(table: SampleTable, answers: Sequence[Transcribed], trained: NDArray[np.bool_]) -> pl.DataFrame:
    """The texts of a recogniser as a table with a row for each sample.

    ==============  =================================================================================================
    ``sample``      id of the sample
    ``path``        file of the sample; left out when the table has none
    ``text``        the text, in reading order
    ``confidence``  P(text | sample) by the model, of the whole text
    ``trained_on``  whether the model was trained on this sample, so that the answer says nothing about new data
    ==============  =================================================================================================

    Args:
        table: The samples, ``n`` rows.
        answers: Their ``n`` answers.
        trained: Which samples the model was trained on, bool ``[n]``.
    """
    columns = [table.frame[name] for name in ("sample", "path") if name in table.columns]
    return pl.DataFrame(
        [
            *columns,
            pl.Series("text", [one.text for one in answers], dtype=pl.String),
            pl.Series("confidence", [one.confidence for one in answers], dtype=pl.Float64),
            pl.Series("trained_on", trained),
        ]
    )


def _unwritable(table: SampleTable, task: Task) -> str:
    """A sentence on transcripts of the table with characters that the model can't write; empty without any."""
    if task.label not in table.columns or table.frame[task.label].dtype != pl.String:
        return ""
    alphabet, missing, rows = task.alphabet, Counter[str](), 0
    for text in table.frame[task.label].drop_nulls().to_list():
        outside = alphabet.outside(tidy_text(text, alphabet.form))
        missing.update(outside)
        rows += bool(outside)
    if not rows:
        return ""
    shown = ", ".join(f"{one!r} ({count})" for one, count in missing.most_common(_NAMED))
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    samples = plural(rows, "sample has", "samples have")
    return f"{samples} characters in {task.label!r} that the model's alphabet lacks: {shown}{more}"


def _write_files(
    plan: TextPlan, table: SampleTable, texts: dict[int, Transcribed], folder: Path
) -> tuple[int, pl.DataFrame]:
    """Write the files of a plan below ``folder/pages``: their number, and the sources that can't be read."""
    check_text_plan(plan)
    problems, written = Problems(), 0
    paths = table.frame["path"].to_list() if "path" in table.columns else table.frame["sample"].to_list()
    for file in plan.files:
        known = {row: texts[row] for row in file.rows if row in texts}
        if not known:
            continue
        path = folder / PAGES / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file.write(path, known)
        except ReadError as error:
            path.unlink(missing_ok=True)
            problems.add(str(paths[file.rows[0]]), error)
            continue
        written += 1
    return written, problems.frame().unique(maintain_order=True)


def check_text_plan(plan: TextPlan) -> None:
    """Refuse a plan whose files would replace each other.

    Raises:
        PluginError: When a name repeats or leads out of the folder, or a sample is in two files.
    """
    hint = "see the contract of text_files in ssl_domains.extending.Domain"
    names: set[str] = set()
    taken: set[int] = set()
    for file in plan.files:
        parts = PurePosixPath(file.name).parts
        if not parts or ".." in parts or PurePosixPath(file.name).is_absolute() or "\\" in file.name:
            raise PluginError(f"the domain names a file of texts {file.name!r}: no name below a folder", hint)
        if file.name.casefold() in names:
            raise PluginError(f"the domain names two files of texts {file.name!r}", hint)
        if taken & set(file.rows):
            raise PluginError(f"the domain puts one sample into two files of texts, the second is {file.name!r}", hint)
        names.add(file.name.casefold())
        taken.update(file.rows)
