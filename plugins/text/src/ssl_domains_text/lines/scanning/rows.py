"""The rows of the table: one for each line, with the columns that are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from ssl_domains_text.lines.labels.transcripts import Transcripts
from ssl_domains_text.lines.scanning.line import Line

__all__ = ["EMPTY", "RESERVED", "frame_of"]

EMPTY: dict[str, Any] = {
    "sample": pl.String,
    "path": pl.String,
    "text": pl.String,
    "text_problem": pl.String,
    "width": pl.Int64,
    "height": pl.Int64,
}
"""Columns of a table without rows, with their types."""

RESERVED = frozenset({*EMPTY, "array", "region", "entry", "outline", "orientation", "direction"})
"""Columns that the reader or a store writes; values of these names in a database or a table are passed over."""


def frame_of(lines: Sequence[Line], transcripts: Transcripts) -> pl.DataFrame:
    """The table: sample and file, transcript, what else is known of a line, and its size in pixels."""
    if not lines:
        return pl.DataFrame(schema=EMPTY)
    columns: dict[str, pl.Series] = {
        "sample": pl.Series([line.name for line in lines], dtype=pl.String),
        "path": pl.Series([line.path for line in lines], dtype=pl.String),
    }
    if any(line.entry >= 0 for line in lines):
        columns["entry"] = pl.Series([line.entry if line.entry >= 0 else None for line in lines], dtype=pl.Int64)
    if any(line.outline for line in lines):
        columns["outline"] = pl.Series([line.outline or None for line in lines], dtype=pl.String)
    if any(line.orientation for line in lines):
        columns["orientation"] = pl.Series([line.orientation or None for line in lines], dtype=pl.Int64)
    columns["text"] = pl.Series(transcripts.texts, dtype=pl.String)
    columns["text_problem"] = pl.Series(transcripts.problems, dtype=pl.String)
    if transcripts.directions:
        columns["direction"] = pl.Series(transcripts.directions, dtype=pl.String)
    names = dict.fromkeys(name for line in lines for name in line.facts)
    for name in names:
        columns[name] = pl.Series([line.facts.get(name) for line in lines], dtype=pl.String)
    columns["width"] = pl.Series([line.width for line in lines], dtype=pl.Int64)
    columns["height"] = pl.Series([line.height for line in lines], dtype=pl.Int64)
    return pl.DataFrame({name: series.alias(name) for name, series in columns.items()})
