"""Predict the samples of a table with a fine-tuned model: a table of answers, or masks in the domain's format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from ssl_domains.errors import DataError, UsageError
from ssl_domains.prediction.answers import answer_frame, predicted_counts
from ssl_domains.prediction.fitting_rows import fitting_rows
from ssl_domains.prediction.mask_folder import INDEX, write_masks
from ssl_domains.prediction.png_masks import png_masks
from ssl_domains.prediction.texts import TEXTS, is_texts_folder, write_texts
from ssl_domains.prediction.trained import trained_on
from ssl_domains.probes.transcripts import TRANSCRIPTION
from ssl_domains.samples import (
    SampleTable,
    TextFiles,
    problems_path,
    require_folder,
    require_target,
    write_errors,
    write_problems,
    write_whole,
    write_whole_folder,
)
from ssl_domains.samples.tables.places import portable_paths
from ssl_domains.samples.writing.map_files import MapFiles
from ssl_domains.stores import ArrayStore

if TYPE_CHECKING:
    from ssl_domains.finetuning import FineTuned, Task

__all__ = ["Predicted", "predict", "require_new_output"]


_ANSWERS = ("classification", "multilabel", "regression", TRANSCRIPTION)


@dataclass(frozen=True)
class Predicted:
    """What `predict` wrote.

    Attributes:
        out: The file of answers, or the folder of masks or of texts and pages.
        task: The task of the model.
        samples: Number of samples that were predicted.
        trained_on: How many of them the model was trained on, see `trained_on`.
        counts: Class → samples (for masks pixels) that are predicted to be of it; empty for a regression.
        files: Number of files of masks, or of the domain with texts; 0 for answers alone.
        problems: Columns ``path`` and ``cause``: what was left out.
        notes: Sentences for the user.
    """

    out: Path
    task: Task
    samples: int
    trained_on: int
    counts: Mapping[str, int]
    files: int
    problems: pl.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def index(self) -> Path:
        """The table of what was predicted: the file of answers itself, or the table in the folder."""
        if self.task.kind == "segmentation":
            return self.out / INDEX
        return self.out / TEXTS if is_texts_folder(self.out, self.task) else self.out

    @property
    def problems_file(self) -> Path:
        """The file of the problems."""
        return problems_path(self.index)


def require_new_output(out: str | Path, task: Task) -> None:
    """Refuse a place where the predictions can't be written; call it before the work.

    Args:
        out: A new folder for masks, a new file ``NAME.csv`` for all other tasks; for texts either of the two.
        task: The task of the model.

    Raises:
        UsageError: When it is there already, has the wrong form, or can't be written to; and for a task of a plugin
            whose answers are neither a table nor masks.
        ResourceError: When the disk is full.
    """
    out = Path(out)
    if task.kind == "segmentation" or is_texts_folder(out, task):
        require_folder(out, new=True)
        return
    if task.kind not in _ANSWERS:
        raise UsageError(f"the answers of a {task.kind} are no table", "the plugin that brings the head writes them")
    if out.suffix.lower() != ".csv":
        raise UsageError(
            f"the answers of a {task.kind} are one CSV file, and {str(out)!r} is not named like one",
            f"-o {out.with_name(out.name + '.csv')}",
        )
    if out.exists():
        raise UsageError(f"{str(out)!r} is already there", "name a new file")
    require_target(out)


def predict(
    model: FineTuned,
    table: SampleTable,
    store: ArrayStore,
    out: str | Path,
    *,
    map_files: MapFiles | None = None,
    text_files: TextFiles | None = None,
    beam: int = 1,
    root: Path | None = None,
    problems: pl.DataFrame | None = None,
    progress: Callable[[int, int], None] | None = None,
    writing: Callable[[int, int], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> Predicted:
    """Predict every sample of a table that the model can take, and write the predictions.

    For masks ``out`` is a folder with ``masks/``, ``index.csv`` (file and pixels of each class of every sample) and
    ``index.problems.csv``. For other tasks it is one CSV file (see `answer_frame` and `text_frame`), with
    ``NAME.problems.csv`` beside it. For texts it may also be a folder with ``transcripts.csv``,
    ``transcripts.problems.csv`` and ``pages/``, the files of the domain with the texts put into them. All are written
    under another name first, so that nothing unfinished has the name ``out``.

    Args:
        model: The fine-tuned model.
        table: The samples, of any split.
        store: Their arrays.
        out: What to write; it must not exist.
        map_files: Plans the files of masks, as a domain hands it over; None writes PNG files.
        text_files: Plans the files that texts are put into, as a domain hands it over; None for none.
        beam: Number of prefixes that decoding of texts keeps; 1 takes the best path.
        root: Folder that was scanned, from which names of files count; None for a table of samples.
        problems: Columns ``path`` and ``cause``: what a scan has left out, which is listed with the problems.
        progress: Called with the number of rows done and of all rows.
        writing: Called with the bytes written and all bytes, while files that are put together from many samples are
            written after the last of these.
        notice: Called with a sentence that has to be said before the work, such as the size of large files.

    Raises:
        UsageError: When ``out`` is there, or can't be written to.
        DataError: When the model can take no sample, or gives no finite answer.
        ResourceError: When the disk is full.
    """
    out = Path(out)
    require_new_output(out, model.task)
    rows, unfit = fitting_rows(model.run.preprocess, table, store)
    left_out = unfit if problems is None else pl.concat([problems, unfit])
    if not len(rows):
        raise _nothing(left_out)
    trained = trained_on(table, model.run.training_rows)
    made = partial(Predicted, out=out, task=model.task, trained_on=int(trained[rows].sum()))
    if model.task.kind == "segmentation":
        plan = (map_files or png_masks)(table, root)
        masks = partial(
            write_masks, model, table, store, rows, plan, trained=trained, final=out, progress=progress,
            writing=writing, notice=notice,
        )  # fmt: skip
        results = []

        def write(folder: Path) -> None:
            result = masks(folder)
            results.append(result)
            write_problems(pl.concat([left_out, result.problems]), folder / INDEX)

        with write_errors(f"the predictions {str(out)!r}"):
            write_whole_folder(out, write)
        (result,) = results
        return made(
            samples=result.samples, counts=result.pixels, files=result.files,
            problems=pl.concat([left_out, result.problems]), notes=result.notes,
        )  # fmt: skip
    if model.task.kind == TRANSCRIPTION:
        written = write_texts(
            model, table, store, rows, out, trained=trained, left_out=left_out, text_files=text_files, root=root,
            beam=beam, progress=progress,
        )  # fmt: skip
        return made(samples=len(rows), counts={}, files=written.files, problems=written.problems, notes=written.notes)
    part = table.take(rows)
    answers = model.answers(part, store, progress=progress)
    frame = portable_paths(answer_frame(part, answers, model.task, trained[rows]), out)
    with write_errors(f"the predictions {str(out)!r}"):
        write_problems(left_out, out)
        write_whole(out, frame.write_csv)
    counts = predicted_counts(answers, model.task)
    return made(samples=len(rows), counts=counts, files=0, problems=left_out)


def _nothing(problems: pl.DataFrame) -> DataError:
    causes = list(_causes(problems))
    hint = "the sample table and the files must be of the kind that the model was trained on"
    return DataError(f"none of the samples can be predicted: {'; '.join(causes[:3])}", hint)


def _causes(problems: pl.DataFrame) -> Iterator[str]:
    counted = problems.group_by("cause", maintain_order=True).len().sort("len", descending=True, maintain_order=True)
    for cause, count in counted.iter_rows():
        yield f"{cause} ({count})"
