"""Entries of JSON lines, TSV, CSV and Parquet files as mappings from field to value, with their lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ssl_domains_text.documents.files.fields import NAMES
from ssl_domains_text.documents.files.lines import numbered_lines
from ssl_domains_text.documents.files.record import Fault

__all__ = ["Entry", "entries_of", "has_header"]

Entry = tuple[int, Mapping[str, Any]]

_LONGEST = 1 << 24  # characters of a field of a CSV file
_ROWS = 20_000  # of a Parquet file, in memory at a time
_LONG_CAUSE = 80


def entries_of(path: Path, form: str, encoding: str = "utf-8") -> Iterator[Entry | Fault]:
    """Yield the entries of a file: (line, field → value).

    A TSV or CSV file without a header has the fields ``"0"``, ``"1"``, … In a TSV file a quotation mark is a character
    like any other, as in MS MARCO; in a CSV file it begins a field that may hold commas and line feeds.

    Args:
        path: The file.
        form: ``"jsonl"``, ``"tsv"``, ``"csv"`` or ``"parquet"``.
        encoding: Encoding of a text file.
    """
    if form == "parquet":
        return _parquet(path)
    if form == "jsonl":
        return _json_lines(path, encoding)
    return _named(_tab_separated(path, encoding) if form == "tsv" else _comma_separated(path, encoding))


def has_header(fields: list[str]) -> bool:
    """Whether the first line of a table names its fields: two of them, or its only one, have usual names."""
    known = [field for field in fields if field.strip().lower() in NAMES]
    return len(known) >= min(2, len(fields))


def _json_lines(path: Path, encoding: str) -> Iterator[Entry | Fault]:
    for one in numbered_lines(path, encoding):
        if isinstance(one, Fault):
            yield one
            continue
        number, line = one
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Fault(number, f"it is no JSON: {str(error)[:_LONG_CAUSE]}")
            continue
        if isinstance(values, dict):
            yield number, values
        else:
            yield Fault(number, f"a JSON {type(values).__name__}, where an object with fields is expected")


def _tab_separated(path: Path, encoding: str) -> Iterator[tuple[int, list[str]] | Fault]:
    for one in numbered_lines(path, encoding):
        if isinstance(one, Fault):
            yield one
            continue
        number, line = one
        if not line.strip():
            continue
        yield number, line.split("\t")


def _comma_separated(path: Path, encoding: str) -> Iterator[tuple[int, list[str]] | Fault]:
    faults: list[Fault] = []
    at = [0]

    def lines() -> Iterator[str]:
        for one in numbered_lines(path, encoding):
            if isinstance(one, Fault):
                faults.append(one)
                continue
            at[0] = one[0]
            yield one[1] + "\n"

    reader = csv.reader(lines(), strict=False)
    first = 1
    while True:
        try:
            fields = _next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield Fault(at[0], f"it is no CSV: {error}")
            break
        finally:
            yield from faults
            faults.clear()
        number, first = first, at[0] + 1
        if not any(field.strip() for field in fields):
            continue
        yield number, fields


def _named(rows: Iterable[tuple[int, list[str]] | Fault]) -> Iterator[Entry | Fault]:
    """Rows by the names of their fields: those of the first row where it is a header, else numbers from 0."""
    names: list[str] | None = None
    for one in rows:
        if isinstance(one, Fault):
            yield one
            continue
        number, fields = one
        if names is None:
            names = fields if has_header(fields) else [str(place) for place in range(len(fields))]
            if names is fields:
                continue
        if len(fields) != len(names):
            yield Fault(number, f"{len(fields)} fields, where the first line has {len(names)}")
            continue
        yield number, dict(zip(names, fields, strict=True))


def _next(reader: Iterator[list[str]]) -> list[str]:
    """The next row; a long text is a field, though the module's own limit, which is that of the process, is lower."""
    limit = csv.field_size_limit(_LONGEST)
    try:
        return next(reader)
    finally:
        csv.field_size_limit(limit)


def _parquet(path: Path) -> Iterator[Entry | Fault]:
    import polars as pl

    try:
        frame = pl.scan_parquet(path)
        rows = frame.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError) as error:
        yield Fault(1, f"it is no Parquet file: {str(error).splitlines()[0][:_LONG_CAUSE]}")
        return
    for start in range(0, rows, _ROWS):
        block = frame.slice(start, _ROWS).collect()
        yield from enumerate(block.iter_rows(named=True), start=start + 1)
