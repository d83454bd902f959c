"""How paths of source files are written in the files of a store: counted from the folder of the sample table.

A store lies beside its table by default, so its paths count from the folder above it. An absolute path would show the
names of folders and users to everyone who gets a copy of the store.
"""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

__all__ = ["SourcePaths"]

_ODD = r"(^|/)\.{1,2}(/|$)|//"
_ADDRESS = r"^[A-Za-z][A-Za-z0-9+.-]+:"
_UPWARD = re.compile(r"(?:\.\./)*")


@dataclass(frozen=True)
class SourcePaths:
    """Turns absolute paths into relative ones, and back.

    Attributes:
        base: The folder that relative paths count from, absolute, without links.

    Example:
        >>> places = SourcePaths(Path("/data/study"))
        >>> places.written("/data/study/a/1.png"), places.written("/data/archive/1.png")
        ('a/1.png', '../archive/1.png')
    """

    base: Path

    @classmethod
    def of_store(cls, folder: Path) -> SourcePaths:
        """The paths of the store in ``folder``."""
        return cls(folder.resolve().parent)

    def written(self, path: str) -> str:
        """The path as it is written. An empty one, and the address of something that is no file, stay as they are."""
        if os.name != "posix" or not path or re.search(_ADDRESS, path):
            return path
        path = os.path.abspath(path) if not path.startswith("/") else path
        if not re.search(_ODD, path):
            for steps, folder in enumerate(self._folders):
                if path.startswith(folder):
                    return "../" * steps + path[len(folder) :]
        return path

    def read(self, path: str) -> str:
        """The reverse of `written`; an absolute path, as stores of earlier versions hold, stays as it is."""
        if os.name != "posix" or not path or path.startswith("/") or re.search(_ADDRESS, path):
            return path
        upward = _UPWARD.match(path)
        steps = 0 if upward is None else len(upward[0]) // 3
        return path if steps >= len(self._folders) else self._folders[steps] + path[3 * steps :]

    def written_all(self, paths: pl.Series) -> pl.Series:
        """The column as it is written; null stays null."""
        if os.name != "posix" or paths.null_count() == len(paths):
            return paths
        known = paths.drop_nulls()
        if not known.str.starts_with("/").all() or known.str.contains(_ODD).any():
            return paths.map_elements(self.written, return_dtype=pl.String, skip_nulls=True)
        made, path = pl.col("path"), pl.col("path")
        for steps, folder in reversed(list(enumerate(self._folders))):
            shorter = pl.lit("../" * steps) + path.str.slice(len(folder))
            made = pl.when(path.str.starts_with(folder)).then(shorter).otherwise(made)
        return pl.DataFrame({"path": paths}).select(made.alias("path"))["path"]

    def read_all(self, paths: pl.Series) -> pl.Series:
        """The reverse of `written_all`."""
        if os.name != "posix" or paths.null_count() == len(paths):
            return paths
        made, path = pl.col("path"), pl.col("path")
        relative = ~(path.str.starts_with("/") | (path == "") | path.str.contains(_ADDRESS))
        for steps, folder in enumerate(self._folders):
            upward = relative & path.str.starts_with("../" * steps)
            made = pl.when(upward).then(pl.lit(folder) + path.str.slice(3 * steps)).otherwise(made)
        return pl.DataFrame({"path": paths}).select(made.alias("path"))["path"]

    @functools.cached_property
    def _folders(self) -> list[str]:
        """The base and the folders above it, with a slash at the end."""
        return [str(folder).rstrip("/") + "/" for folder in (self.base, *self.base.parents)]
