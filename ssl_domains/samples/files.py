"""Read and write sample tables: Parquet (with metadata), CSV and XLSX."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples.table import SampleTable, TableMeta
from ssl_domains.samples.writing import write_whole

__all__ = ["problems_path", "read_frame", "read_table", "write_problems", "write_table"]

_META_KEY = "ssl_domains"


def _read_text(path: Path, separator: str = ",") -> pl.DataFrame:
    typed = pl.read_csv(
        path, separator=separator, infer_schema_length=None, try_parse_dates=True, null_values=["", "NA"]
    )
    text = pl.read_csv(path, separator=separator, infer_schema=False)
    # A column with values such as 007 stays text, as a join by it needs the zeros.
    padded = [
        name
        for name, dtype in typed.schema.items()
        if dtype.is_numeric() and text[name].str.contains(r"^\s*[+-]?0\d").any()
    ]
    return typed.with_columns(text[name] for name in padded)


_READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".parquet": pl.read_parquet,
    ".csv": _read_text,
    ".tsv": lambda path: _read_text(path, "\t"),
    ".xlsx": pl.read_excel,
}


def read_frame(path: Path) -> pl.DataFrame:
    """Read a Parquet, CSV, TSV or XLSX file into a frame, columns by name.

    Raises:
        UsageError: When the file is missing or of another kind.
        DataError: When it can't be parsed.
    """
    if not path.is_file():
        raise UsageError(f"there is no table {str(path)!r}", "give a .parquet, .csv, .tsv or .xlsx file")
    try:
        read = _READERS[path.suffix.lower()]
    except KeyError:
        raise UsageError(f"{path.name!r} is not a table", "give a .parquet, .csv, .tsv or .xlsx file") from None
    try:
        return read(path)
    except Exception as error:  # every parser raises its own kinds
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path.name!r} can't be read as a table: {cause}", "is the file whole?") from error


def read_table(path: Path) -> SampleTable:
    """Read a sample table; a relative ``path`` value is relative to the folder of the table.

    Raises:
        UsageError: When the file is missing or of another kind.
        DataError: When it can't be parsed, or its sample ids are missing or repeat.
    """
    frame = read_frame(path)
    if "path" in frame.columns:
        folder = path.resolve().parent
        frame = frame.with_columns(
            pl.col("path").map_elements(lambda value: str(folder / value), return_dtype=pl.String, skip_nulls=True)
        )
    return SampleTable.of(frame, _read_meta(path))


def _read_meta(path: Path) -> TableMeta:
    if path.suffix.lower() != ".parquet":
        return TableMeta()
    text = pl.read_parquet_metadata(path).get(_META_KEY)
    if text is None:
        return TableMeta()
    stored: dict[str, Any] = json.loads(text)
    return TableMeta(stored["domain"], tuple(stored["identifiers"]), stored["options"], stored.get("key", ""))


def write_table(table: SampleTable, path: Path) -> None:
    """Write a sample table in the format of its suffix, by `write_whole`; only Parquet keeps the metadata.

    Raises:
        UsageError: For a suffix other than .parquet, .csv or .xlsx.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        meta = {
            "domain": table.meta.domain,
            "identifiers": list(table.meta.identifiers),
            "options": dict(table.meta.options),
            "key": table.meta.key,
        }
        metadata = {_META_KEY: json.dumps(meta)}
        write_whole(path, lambda part: table.frame.write_parquet(part, metadata=metadata))
    elif suffix == ".csv":
        # CSV has no lists: regions are written as "0,10,5,20", which reading a region understands.
        lists = pl.selectors.by_name("region", require_all=False) & pl.selectors.by_dtype(pl.List(pl.Int64))
        write_whole(path, table.frame.with_columns(lists.cast(pl.List(pl.String)).list.join(",")).write_csv)
    elif suffix == ".xlsx":
        write_whole(path, lambda part: part.write_bytes(_spreadsheet(table.frame)))
    else:
        raise UsageError(f"can't write a table as {path.name!r}", "name it .parquet, .csv or .xlsx")


def _spreadsheet(frame: pl.DataFrame) -> bytes:
    import xlsxwriter

    # Made in memory: with a full disk, the package prints a traceback for a file that it leaves open.
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as workbook:
        frame.write_excel(workbook)
    return made.getvalue()


def problems_path(table_path: Path) -> Path:
    """Path of the problems of a scan: ``samples.problems.csv`` for ``samples.parquet``."""
    return table_path.with_suffix(".problems.csv")


def write_problems(problems: pl.DataFrame, table_path: Path) -> Path:
    """Write the problems (columns ``path``, ``cause``), even if there are none, and return the file's path."""
    path = problems_path(table_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, problems.write_csv)
    return path
