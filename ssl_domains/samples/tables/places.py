"""The columns of paths in a table: relative to the table's folder in the file, absolute in memory.

All functions work on whole columns, so that a table of a million rows takes about a second.
"""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from ssl_domains.errors import DataError

__all__ = ["PATH_COLUMNS", "absolute_from", "absolute_paths", "missing_files", "portable_paths", "text_paths"]

PATH_COLUMNS = ("path", "index_path", "copy_path")
"""The file of a sample, and what a reader keeps beside the table: an index of headers, a copy in another order."""
# A path with such a part changes when pathlib joins it: "./a", "a/./b", "a//b", "a/".
_UNUSUAL = r"(^|/)\.(/|$)|//|.+/$|\\"


def text_paths(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The frame with its column ``path`` as text; whole numbers are names of files without a suffix.

    Args:
        frame: A table as read.
        name: Name of its file, for the error.

    Raises:
        DataError: When the column holds dates, truth values or anything else that is no path.
    """
    for column in PATH_COLUMNS:
        if column not in frame.columns or frame.schema[column] == pl.String:
            continue
        dtype = frame.schema[column]
        if not (dtype.is_integer() or dtype in (pl.Null, pl.Categorical) or isinstance(dtype, pl.Enum)):
            values = frame[column].drop_nulls()
            shown = f" such as {values[0]!s}" if len(values) else ""
            raise DataError(
                f"the column {column!r} of {name!r} holds {dtype} values{shown}, not paths of files",
                "write the paths as text, relative to the folder of the table",
            )
        frame = frame.with_columns(pl.col(column).cast(pl.String))
    return frame


def absolute_paths(frame: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """The frame with relative paths joined to ``folder``, which is absolute."""
    for name in PATH_COLUMNS:
        if name in frame.columns:
            frame = frame.with_columns(_absolute(frame[name], folder).alias(name))
    return frame


def _absolute(column: pl.Series, folder: Path) -> pl.Series:
    if os.name != "posix" or bool(column.str.contains(_UNUSUAL).any()):
        return column.map_elements(lambda value: str(folder / value), return_dtype=pl.String, skip_nulls=True)
    prefix = str(folder).rstrip("/") + "/"
    value = pl.col("path")
    joined = pl.when(value.str.starts_with("/")).then(value).otherwise(pl.lit(prefix) + value)
    return column.alias("path").to_frame().select(joined.alias("path"))["path"]


def absolute_from(frame: pl.DataFrame, folder: str | Path, other: str | Path) -> pl.DataFrame:
    """The frame with paths below ``folder`` moved below ``other``, where the file is there and not here."""
    if "path" not in frame.columns:
        return frame
    gone = [path for path in missing_files(frame) if Path(path).is_relative_to(folder)]
    there = {path: str(Path(other) / Path(path).relative_to(folder)) for path in gone}
    found = {path: moved for path, moved in there.items() if os.path.isfile(moved)}
    return frame.with_columns(path=pl.col("path").replace(found)) if found else frame


def portable_paths(frame: pl.DataFrame, out: Path) -> pl.DataFrame:
    """The frame with paths as they stand in the file ``out``.

    Paths below the folder of ``out`` become relative, so that the folder can be moved with its files; others become
    absolute. Links of folders are followed, once for each folder.
    """
    base = out.resolve().parent
    for name in PATH_COLUMNS:
        if name in frame.columns:
            frame = frame.with_columns(_portable_column(frame[name].cast(pl.String), base).alias(name))
    return frame


def _portable_column(paths: pl.Series, base: Path) -> pl.Series:
    if os.name != "posix":
        return paths.map_elements(lambda path: _portable(path, base), return_dtype=pl.String)
    # A path without a slash lies in the working folder.
    folders = paths.str.extract(r"^(.*/)[^/]*$").fill_null("")
    distinct = folders.unique()
    placed = pl.DataFrame({"folder": distinct, "place": [_place(folder, base) for folder in distinct]})
    parts = pl.DataFrame({"path": paths, "folder": folders}).join(
        placed, on="folder", how="left", maintain_order="left"
    )
    name = pl.col("path").str.extract(r"([^/]*)$")
    return parts.select(pl.col("place") + name)["place"]


def missing_files(frame: pl.DataFrame, first: int | None = None) -> list[str]:
    """The paths of a table, absolute and each once, at which there is no file.

    Args:
        frame: The table.
        first: Look at so many paths only, and at the others when one of these is missing.
    """
    if "path" not in frame.columns:
        return []
    paths = frame["path"].drop_nulls().unique(maintain_order=True)
    if first is not None and all(os.path.isfile(path) for path in paths.head(first)):
        return []
    return [path for path in paths if not os.path.isfile(path)]


def _place(folder: str, base: Path) -> str:
    """A folder as it stands in the table, with a slash at its end; empty for that of the table."""
    full = Path(folder).resolve()
    if full == base:
        return ""
    return (full.relative_to(base).as_posix() if full.is_relative_to(base) else str(full)).rstrip("/") + "/"


def _portable(path: str, base: Path) -> str:
    full = Path(path).resolve()
    return full.relative_to(base).as_posix() if full.is_relative_to(base) else str(full)
