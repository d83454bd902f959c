"""Predictions of cuts as tables of segments: Audacity labels, Raven selection tables and one CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import polars as pl

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import read_table, write_errors, write_whole_folder

__all__ = ["write_segments"]

_RAVEN = ("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)",
          "Begin File", "Annotation", "Probability")  # fmt: skip


class _Cut(NamedTuple):
    """A cut of a recording with a predicted class; its rate in Hz is 0 where the table has none."""

    path: str
    start_s: float
    stop_s: float
    predicted: str
    probability: float
    rate: float


def write_segments(predictions: str | Path, table: str | Path, out: str | Path, least: float = 0.0) -> int:
    """Write the predictions of a table of cuts as segments.

    Names of recordings count from the folder that holds all of them. For a recording ``a/b.wav``, ``a/b.txt`` holds its
    Audacity labels and ``a/b.Table.1.selections.txt`` its Raven selections, from 0 Hz to half of the rate.
    ``segments.csv`` has a line for each cut: recording, start and stop in seconds, class and probability. A cut with
    several labels has a segment for each of them in all three.

    Args:
        predictions: The CSV file that ``predict`` wrote, of a classification or of several labels.
        table: The table of the cuts, with ``start_s``, ``stop_s`` and ``path``.
        out: Folder to create; it must be missing or empty.
        least: Segments of a lower probability are left out.

    Returns:
        Number of segments.

    Raises:
        UsageError: When a column is missing, or ``out`` is not empty.
        DataError: When a file can't be read, or no cut has a prediction.
        ResourceError: When the disk is full.
    """
    out, cuts = Path(out), _relative(list(_cuts(Path(predictions), Path(table), least)))
    by_recording: dict[str, list[_Cut]] = {}
    for cut in sorted(cuts, key=lambda one: (one.path, one.start_s, one.stop_s, one.predicted)):
        by_recording.setdefault(cut.path, []).append(cut)

    def write(folder: Path) -> None:
        for path, each in by_recording.items():
            place = folder.joinpath(*PurePosixPath(path).with_suffix("").parts)
            place.parent.mkdir(parents=True, exist_ok=True)
            lines = [f"{one.start_s:.6f}\t{one.stop_s:.6f}\t{one.predicted}\n" for one in each]
            place.with_name(f"{place.name}.txt").write_text("".join(lines), encoding="utf-8")
            raven = place.with_name(f"{place.name}.Table.1.selections.txt")
            raven.write_text(_raven(each), encoding="utf-8")
        rows = ((c.path, f"{c.start_s:.6f}", f"{c.stop_s:.6f}", c.predicted, f"{c.probability:.6g}")
                for each in by_recording.values() for c in each)  # fmt: skip
        header = ("filename", "start", "stop", "label", "probability")
        (folder / "segments.csv").write_text(_lines([header, *rows], ","), encoding="utf-8")

    with write_errors(f"the segments {str(out)!r}"):
        write_whole_folder(out, write)
    return len(cuts)


def _cuts(predictions: Path, table: Path, least: float) -> Iterator[_Cut]:
    try:
        answers = pl.read_csv(predictions, infer_schema_length=0)
    except (OSError, pl.exceptions.PolarsError) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{predictions} can't be read: {cause}", "give the CSV file that predict wrote") from error
    if not {"sample", "predicted"} <= set(answers.columns):
        raise UsageError(f"{predictions} has no columns sample and predicted", "give the CSV file that predict wrote")
    if not any(name.startswith("p_") for name in answers.columns):
        raise UsageError(f"{predictions} has no probabilities", "segments are of predicted classes, not of numbers")
    frame = read_table(table).frame
    missing = sorted({"sample", "path", "start_s", "stop_s"} - set(frame.columns))
    if missing:
        raise UsageError(f"{table} has no column {missing[0]}", "cut the recordings: ssl-domains audio scan --cut 3")
    rate = pl.col("rate") if "rate" in frame.columns else pl.lit(0.0).alias("rate")
    cuts = frame.select("sample", pl.col("path").alias("file"), "start_s", "stop_s", rate)
    joined = answers.join(cuts.drop_nulls(["start_s", "stop_s"]), on="sample", how="inner", maintain_order="left")
    if not len(joined):
        raise DataError(f"no sample of {predictions} is a cut in {table}", "give the table that was predicted")
    for row in joined.iter_rows(named=True):
        predicted = row["predicted"] or ""
        # A class may be named "a;b"; several labels are written so, too.
        for label in [predicted] if f"p_{predicted}" in row else filter(None, predicted.split(";")):
            probability = float(row[f"p_{label}"])
            if probability >= least:
                yield _Cut(row["file"], row["start_s"], row["stop_s"], label, probability, float(row["rate"] or 0))


def _raven(cuts: list[_Cut]) -> str:
    name = PurePosixPath(cuts[0].path).name
    rows = [
        (str(number), "Spectrogram 1", "1", f"{one.start_s:.6f}", f"{one.stop_s:.6f}", "0", f"{one.rate / 2:g}", name,
         one.predicted, f"{one.probability:.6g}")
        for number, one in enumerate(cuts, 1)
    ]  # fmt: skip
    return _lines([_RAVEN, *rows], "\t")


def _lines(rows: list[tuple[str, ...]], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _relative(cuts: list[_Cut]) -> list[_Cut]:
    """The cuts with paths that count from the deepest folder which holds all recordings."""
    paths = {cut.path: PurePosixPath(cut.path.replace("\\", "/")) for cut in cuts}
    parents = [path.parent.parts for path in paths.values()]
    shared = 0
    while parents and all(len(one) > shared and one[shared] == parents[0][shared] for one in parents):
        shared += 1
    return [cut._replace(path=str(PurePosixPath(*paths[cut.path].parts[shared:]))) for cut in cuts]
