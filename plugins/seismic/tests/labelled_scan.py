"""Scans with labels, as the command line starts them: with a table beside which label volumes are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from ssl_domains.samples import ScanResult, ScanSession, TableFiles, scan_session
from ssl_domains_seismic.reader import SeismicReader

__all__ = ["causes", "scan_labelled"]


def scan_labelled(
    source: Path, table: Path, *, write_table: Callable[[], None] = lambda: None, **options: Any
) -> ScanResult:
    """Scan a source for a table, which ``write_table`` stands for; files beside it are kept when that succeeds."""
    with TableFiles(table).kept() as files:
        with scan_session(ScanSession(None, "", None, files)):
            result = SeismicReader().scan(source, **options)
        write_table()
    return result


def causes(result: ScanResult) -> dict[str, str]:
    """Cause of each problem, by the name of its file."""
    frame = result.problems.with_columns(pl.col("path").map_elements(lambda path: Path(path).name, pl.String))
    return dict(frame.iter_rows())
