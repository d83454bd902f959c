"""Read and write sample tables: Parquet, CSV and XLSX, with their metadata in a sidecar (and inside Parquet)."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from ssl_domains.errors import DataError, SslDomainsError, UsageError
from ssl_domains.samples.table import SampleTable, TableMeta
from ssl_domains.samples.tables.delimited import read_delimited
from ssl_domains.samples.tables.metadata import META_KEY, meta_to_dict, read_meta, sidecar_meta, sidecar_path
from ssl_domains.samples.tables.places import PATH_COLUMNS, absolute_paths, portable_paths, text_paths
from ssl_domains.samples.tables.types import lists_as_text, text_as_lists, usual_types
from ssl_domains.samples.writing import write_whole

__all__ = [
    "problems_path",
    "read_frame",
    "read_noted_frame",
    "read_noted_table",
    "read_table",
    "write_portable",
    "write_problems",
    "write_table",
]

_KINDS = "give a .parquet, .csv, .tsv or .xlsx file"
_WRITTEN = (".parquet", ".csv", ".xlsx")


def read_frame(path: str | Path, text: Sequence[str] = ()) -> pl.DataFrame:
    """Read a Parquet, CSV, TSV or XLSX file into a frame, columns by name.

    Args:
        path: The file.
        text: Columns of a CSV or TSV file that stay as they are written, such as those of a join.

    Raises:
        UsageError: When the file is missing or of another kind.
        DataError: When it can't be parsed.
    """
    return read_noted_frame(path, text)[0]


def read_noted_frame(
    path: str | Path, text: Sequence[str] = (), *, running: Collection[str] = ()
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """As `read_frame`, with notes on the delimiter, encoding and decimal comma that were recognised.

    ``running`` names further columns of running text, as in `read_delimited`.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no table {str(path)!r}", _KINDS)
    suffix = path.suffix.lower()
    if suffix not in (*_WRITTEN, ".tsv"):
        raise UsageError(f"{path.name!r} is not a table", _KINDS)
    try:
        if suffix == ".parquet":
            return usual_types(pl.read_parquet(path)), ()
        if suffix == ".xlsx":
            return usual_types(pl.read_excel(path)), ()
        return read_delimited(path, text, running=running)
    except (SslDomainsError, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # every parser raises its own kinds, panics in native code included
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path.name!r} can't be read as a table: {cause}", "is the file whole?") from error


def read_table(path: str | Path) -> SampleTable:
    """Read a sample table; a relative ``path`` value is relative to the folder of the table.

    Raises:
        UsageError: When the file is missing or of another kind.
        DataError: When it can't be parsed, its sample ids are missing or repeat, its metadata is damaged, or its
            sidecar says something else.
    """
    return read_noted_table(path)[0]


def read_noted_table(
    path: str | Path, *, scanned: bool = True, running: Collection[str] = ()
) -> tuple[SampleTable, tuple[str, ...]]:
    """As `read_table`, with notes on how it was read.

    Args:
        path: The file.
        scanned: Whether it should be the result of a scan: then a table without metadata gets a note too, and not only
            one that has lost its sidecar or its inner metadata.
        running: Further columns of running text, as in `read_delimited`.
    """
    path = Path(path)
    declared = None if path.suffix.lower() == ".parquet" else sidecar_meta(path)
    texts = {*PATH_COLUMNS, "sample", "array"}
    if declared is not None:
        written = {name for name, dtype in declared.columns.items() if dtype == "String" or dtype.startswith("List(")}
        texts |= written | {*declared.identifiers}
        running = {*running, *written}  # this package writes an empty field where a value is missing, and never NA
    frame, notes = read_noted_frame(path, sorted(texts), running=running)
    meta, warnings = read_meta(path, scanned=scanned)
    if declared is not None:
        frame = text_as_lists(frame, declared.columns)
    frame = absolute_paths(text_paths(frame, path.name), path.resolve().parent)
    try:
        return SampleTable.of(frame, meta), (*warnings, *notes)
    except pl.exceptions.PolarsError as error:
        cause = f"the column 'sample' of {path.name!r} holds {frame.schema['sample']} values, not ids"
        raise DataError(cause, "write the ids as text") from error


def write_table(table: SampleTable, path: str | Path) -> None:
    """Write a sample table in the format of its suffix, and its metadata to the sidecar beside it.

    Both are written under temporary names before one is renamed: a full disk or a crash leaves the old files. A table
    without metadata has no sidecar.

    Raises:
        UsageError: For a suffix other than .parquet, .csv or .xlsx.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write, sidecar = _writer(table, path), sidecar_path(path)
    if table.meta == TableMeta():
        write_whole(path, lambda part: _write_and_remove(write, part, sidecar))
        return
    text = json.dumps(meta_to_dict(table.meta), indent=2, ensure_ascii=False) + "\n"

    def both(part: Path) -> None:
        part.write_text(text, encoding="utf-8")
        if path.suffix.lower() == ".parquet":
            # A crash between the two renamings must not leave a sidecar that contradicts the Parquet file.
            write_whole(path, lambda table_part: _write_and_remove(write, table_part, sidecar))
        else:
            write_whole(path, write)

    write_whole(sidecar, both)


def _write_and_remove(write: Callable[[Path], object], part: Path, old: Path) -> None:
    write(part)
    old.unlink(missing_ok=True)


def _writer(table: SampleTable, path: Path) -> Callable[[Path], object]:
    """The function that writes the contents of a table's file."""
    frame, suffix = table.frame, path.suffix.lower()
    if suffix == ".parquet":
        options: dict[str, Any] = {"metadata": {META_KEY: json.dumps(meta_to_dict(table.meta))}}
        return lambda part: frame.write_parquet(part, **options)
    if suffix == ".csv":
        return lists_as_text(frame).write_csv
    if suffix == ".xlsx":
        return lambda part: part.write_bytes(_spreadsheet(frame))
    raise UsageError(f"can't write a table as {path.name!r}", "name it .parquet, .csv or .xlsx")


def _spreadsheet(frame: pl.DataFrame) -> bytes:
    import xlsxwriter

    # Made in memory: with a full disk, the package prints a traceback for a file that it leaves open.
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as workbook:
        lists_as_text(frame).write_excel(workbook)
    return made.getvalue()


def write_portable(table: SampleTable, path: str | Path) -> SampleTable:
    """Write a table whose paths are absolute, or count from the working folder; returns it as it was written.

    Paths below the folder of the file become relative, so that the folder can be moved; others become absolute.
    """
    table = replace(table, frame=portable_paths(table.frame, Path(path)))
    write_table(table, path)
    return table


def problems_path(table_path: str | Path) -> Path:
    """Path of the problems of a scan: ``samples.problems.csv`` for ``samples.parquet``."""
    return Path(table_path).with_suffix(".problems.csv")


def write_problems(problems: pl.DataFrame, table_path: str | Path) -> Path:
    """Write the problems (columns ``path``, ``cause``), even if there are none, and return the file's path."""
    path = problems_path(table_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, problems.write_csv)
    return path
