"""Folders and tables that ssl-domains itself wrote: they are no samples of the archive that they lie in."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

from ssl_domains.errors import DataError
from ssl_domains.samples.scanning.guard import Unreadable, read_guarded
from ssl_domains.samples.tables.metadata import parquet_meta, sidecar_meta

__all__ = ["is_result", "is_sample_table"]

_TABLES = (".parquet", ".csv", ".xlsx")


def is_result(folder: Path) -> bool:
    """Whether a folder is a store, the labels or the texts of the table beside it, a run, or the masks of ``predict``.

    Args:
        folder: A folder; it is recognised by the names of files in it or beside it, and of ``index.csv`` the first line
            is read.
    """
    if folder.suffix in (".store", ".labels", ".texts"):
        return any(folder.with_suffix(suffix).is_file() for suffix in _TABLES)
    if (folder / "preprocess.json").is_file() and (folder / "recipe.json").is_file():
        return True
    return (folder / "masks").is_dir() and _is_index(folder / "index.csv")


def is_sample_table(path: str | Path) -> bool:
    """Whether a file is a sample table that ssl-domains wrote.

    Args:
        path: A file; it is such a table if its metadata, inside it or in the sidecar beside it, name a domain. A file
            of another type, and one whose metadata can't be read, is none.
    """
    path = Path(path)
    if path.suffix.lower() not in _TABLES:
        return False
    for read in (sidecar_meta, parquet_meta):
        with suppress(DataError):
            meta = read_guarded(partial(read, path), path)
            if meta is not None and not isinstance(meta, Unreadable) and meta.domain:
                return True
    return False


def _is_index(path: Path) -> bool:
    """Whether a file is the table that ``predict`` writes beside its masks."""
    try:
        with path.open("rb") as file:
            return b"predicted_mask" in file.readline(4096)
    except OSError:
        return False
