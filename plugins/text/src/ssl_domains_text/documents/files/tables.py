"""Entries of JSON lines, TSV, CSV and Parquet files as mappings from field to value, with their lines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.samples import Unreadable, read_guarded
from ssl_domains_text.documents.files.comma_separated import comma_separated
from ssl_domains_text.documents.files.fields import NAMES
from ssl_domains_text.documents.files.lines import numbered_lines
from ssl_domains_text.documents.files.reading import Columns
from ssl_domains_text.documents.files.record import Fault

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Entry", "Unnamed", "entries_of", "has_header"]

Entry = tuple[int, Mapping[str, Any]]

_ROWS = 20_000  # of a Parquet file, in memory at a time
_FEW_ROWS = 2_000  # of a Parquet file that is damaged among them
_LONG_CAUSE = 80
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # an escape of JSON
_NAME = re.compile(r"[^\W\d_]+([ _.-][^\W\d_]+){0,3}")
_HALF = re.compile("[\ud800-\udfff]")


class Unnamed(dict[str, Any]):
    """The fields of a row of a table without a header: their names are ``"0"``, ``"1"``, … from left to right."""


def entries_of(path: Path, form: str, encoding: str = "utf-8", columns: Columns = Columns()) -> Iterator[Entry | Fault]:
    """Yield the entries of a file: (line, field → value).

    A row of a TSV or CSV file without a header is `Unnamed`. In a TSV file a quotation mark is a character
    like any other, as in MS MARCO; in a CSV file it begins a field that may hold commas and line feeds.

    Args:
        path: The file.
        form: ``"jsonl"``, ``"tsv"``, ``"csv"`` or ``"parquet"``.
        encoding: Encoding of a text file.
        columns: Columns with other names than usual, by which a header is known.
    """
    if form == "parquet":
        return _parquet(path)
    if form == "jsonl":
        return _json_lines(path, encoding)
    is_header = partial(has_header, columns=columns)
    rows = _tab_separated(path, encoding) if form == "tsv" else comma_separated(path, encoding, is_header)
    return _named(rows, is_header)


def has_header(fields: list[str], columns: Columns = Columns()) -> bool:
    """Whether the first line of a table names its fields.

    Two of them have usual names, or its only one; or one of them, where all are different and look like names: up to
    four words of letters, as in ``ticket_id,text``. A line with one of the given columns is a header, too.

    Args:
        fields: Fields of the line.
        columns: Columns with other names than usual.
    """
    names = [field.strip().lower() for field in fields]
    if any(name.strip().lower() in names for name in columns.names()):
        return True
    known = [name for name in names if name in NAMES]
    if len(known) >= min(2, len(fields)):
        return True
    named = names if names[0] else names[1:]  # the column of row numbers that pandas writes has no name
    return bool(known) and len(set(names)) == len(names) and all(_NAME.fullmatch(name) for name in named)


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
            if _SURROGATE.search(line):
                values = _without_surrogates(values)
        except (ValueError, RecursionError) as error:
            yield Fault(number, f"it is no JSON: {str(error)[:_LONG_CAUSE]}")
            continue
        if isinstance(values, dict):
            yield number, values
        else:
            yield Fault(number, f"a JSON {type(values).__name__}, where an object with fields is expected")


def _without_surrogates(value: Any) -> Any:
    """A value of JSON whose halves of surrogate pairs are U+FFFD: they are no characters, and no file can hold them."""
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(one) for one in value]
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(one) for name, one in value.items()}
    return value


def _tab_separated(path: Path, encoding: str) -> Iterator[tuple[int, list[str]] | Fault]:
    for one in numbered_lines(path, encoding):
        if isinstance(one, Fault):
            yield one
            continue
        number, line = one
        if not line.strip():
            continue
        yield number, line.split("\t")


def _named(
    rows: Iterable[tuple[int, list[str]] | Fault], is_header: Callable[[list[str]], bool]
) -> Iterator[Entry | Fault]:
    """Rows by the names of their fields: those of the first row where it is a header, else numbers from 0."""
    names: list[str] | None = None
    unnamed = False
    for one in rows:
        if isinstance(one, Fault):
            yield one
            continue
        number, fields = one
        if names is None:
            unnamed = not is_header(fields)
            names = [str(place) for place in range(len(fields))] if unnamed else fields
            if not unnamed:
                continue
        if len(fields) != len(names):
            yield Fault(number, f"{len(fields)} fields, where the first line has {len(names)}")
            continue
        values = zip(names, fields, strict=True)
        yield number, Unnamed(values) if unnamed else dict(values)


def _parquet(path: Path) -> Iterator[Entry | Fault]:
    import polars as pl

    rows = read_guarded(lambda: int(pl.scan_parquet(path).select(pl.len()).collect().item()), path)
    if isinstance(rows, Unreadable):
        yield Fault(1, f"it is no Parquet file: {rows.cause[:_LONG_CAUSE]}")
        return
    for start in range(0, rows, _ROWS):
        count = min(_ROWS, rows - start)
        block = read_guarded(partial(_block, path, start, count), path)
        if isinstance(block, Unreadable):
            # A damaged page takes the rows with it that are read at once; smaller blocks keep those of other pages.
            yield from _small_blocks(path, start, count)
        else:
            yield from enumerate(block.iter_rows(named=True), start=start + 1)


def _small_blocks(path: Path, start: int, count: int) -> Iterator[Entry | Fault]:
    for first in range(start, start + count, _FEW_ROWS):
        few = min(_FEW_ROWS, start + count - first)
        block = read_guarded(partial(_block, path, first, few), path)
        if isinstance(block, Unreadable):
            yield Fault(first + 1, f"rows {first + 1:,} to {first + few:,} can't be read: {block.cause[:_LONG_CAUSE]}")
        else:
            yield from enumerate(block.iter_rows(named=True), start=first + 1)


def _block(path: Path, start: int, count: int) -> pl.DataFrame:
    import polars as pl

    return pl.scan_parquet(path).slice(start, count).collect()
