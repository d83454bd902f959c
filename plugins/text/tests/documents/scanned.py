"""Scans with a table: as the command line scans, without printing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from ssl_domains.cli.work.scan import Scanned, scan_to
from ssl_domains.samples import SampleTable, read_table
from ssl_domains_text.documents.domain import TEXT
from ssl_domains_text.documents.reader import DocumentReader, text_of_row

__all__ = ["note", "scan", "texts"]


def scan(source: Path, out: Path, **options: Any) -> Scanned:
    """Scan a source to a table in the folder ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    return scan_to(TEXT, source, out / "samples.parquet", options=options)


def texts(table: SampleTable | Path) -> dict[str, str]:
    """The text of each sample."""
    table = read_table(table) if isinstance(table, Path) else table
    return {row["sample"]: text_of_row(DocumentReader(), row) for row in table.frame.to_dicts()}


def note(scanned: Scanned, words: str) -> str:
    """The one note that holds some words."""
    found = [one for one in scanned.result.notes if words in one]
    assert len(found) == 1, (words, scanned.result.notes)
    return found[0]


def problems(scanned: Scanned) -> dict[str, str]:
    """Causes of what was left out, by file and line."""
    frame: pl.DataFrame = scanned.result.problems
    return {Path(path).name: cause for path, cause in frame.iter_rows()}
