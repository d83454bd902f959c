"""Folders that ssl-domains itself wrote: their files are no samples of the archive that they lie in."""

from __future__ import annotations

from pathlib import Path

__all__ = ["is_result"]

_TABLES = (".parquet", ".csv", ".xlsx")


def is_result(folder: Path) -> bool:
    """Whether a folder is a store or the label volumes of the table beside it, a run, or the masks of ``predict``.

    Args:
        folder: A folder; it is recognised by the names of files in it or beside it, and of ``index.csv`` the first line
            is read.
    """
    if folder.suffix in (".store", ".labels"):
        return any(folder.with_suffix(suffix).is_file() for suffix in _TABLES)
    if (folder / "preprocess.json").is_file() and (folder / "recipe.json").is_file():
        return True
    return (folder / "masks").is_dir() and _is_index(folder / "index.csv")


def _is_index(path: Path) -> bool:
    """Whether a file is the table that ``predict`` writes beside its masks."""
    try:
        with path.open("rb") as file:
            return b"predicted_mask" in file.readline(4096)
    except OSError:
        return False
