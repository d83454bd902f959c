"""A table with paths of pictures as the source of a scan: its rows stay, and what files and labels say is added."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import polars as pl

from ssl_domains.errors import UsageError
from ssl_domains.samples import Problems, ScanResult
from ssl_domains_text.lines.labels.label_table import TEXT_COLUMNS
from ssl_domains_text.lines.labels.transcripts import LabelRules, transcripts_of
from ssl_domains_text.lines.scanning.line import unusable
from ssl_domains_text.lines.scanning.pictures import headers_of, turned_note

__all__ = ["complete_table"]


def complete_table(read: ScanResult, rules: LabelRules) -> ScanResult:
    """Add width, height, transcript and the reason of each label that is left out to the rows of a table.

    The transcript comes from the column ``text``, else from ``label``, ``transcription`` or another of the usual names.
    A column ``direction`` stays, unless a rule names the direction. Rows of a table that was scanned before (columns
    ``entry`` or ``outline``) keep their width and height.

    Args:
        read: The table as it was read, its paths absolute; rows without a file are among its problems.
        rules: Which labels are used.

    Raises:
        UsageError: For a rule beside the labels of a table that was scanned before: what it left out is not there.
    """
    _require_no_rules_twice(read.samples.frame, rules)
    problems, notes = Problems(list(read.problems.rows())), list(read.notes)
    frame = read.samples.frame
    if not {"entry", "outline"} & {*frame.columns}:
        files = [Path(path) for path in frame["path"].unique(maintain_order=True)]
        sizes = {str(path): size for path, size in headers_of(files, problems)}
        for path, size in list(sizes.items()):
            bad = unusable(*size.size)
            if bad:
                problems.add(path, bad)
                del sizes[path]
        notes += turned_note(size.orientation for size in sizes.values())
        frame = frame.filter(frame["path"].is_in(pl.Series(list(sizes), dtype=pl.String).implode()))
        of = [sizes[path] for path in frame["path"]]
        frame = frame.with_columns(
            pl.Series("width", [size.width for size in of], dtype=pl.Int64),
            pl.Series("height", [size.height for size in of], dtype=pl.Int64),
        )
    column = next((name for name in TEXT_COLUMNS if name in frame.columns), None)
    if column is not None and "text_problem" not in frame.columns:
        written = [text if text and text.strip() else None for text in frame[column].cast(pl.String).to_list()]
        made = transcripts_of(written, [""] * len(frame), rules)
        frame = frame.with_columns(
            pl.Series("text", made.texts, dtype=pl.String), pl.Series("text_problem", made.problems, dtype=pl.String)
        )
        if made.directions and ("direction" not in frame.columns or rules.direction != "auto"):
            frame = frame.with_columns(pl.Series("direction", made.directions, dtype=pl.String))
        notes += [f"transcripts are those of the column {column}"] if column != "text" else []
        notes += made.notes
    elif column is None and len(frame):
        notes.append("no line has a label: they serve for pretraining")
    return ScanResult(replace(read.samples, frame=frame), problems.frame(), tuple(notes))


def _require_no_rules_twice(frame: pl.DataFrame, rules: LabelRules) -> None:
    given = [one.name for one in fields(rules) if getattr(rules, one.name) != one.default]
    if given and "text_problem" in frame.columns:
        raise UsageError(
            f"--{given[0]} has no effect on a table that was scanned before (it has the column text_problem)",
            f"scan its source again with --{given[0]}",
        )
