"""Files that a reader writes beside a sample table, such as label volumes: kept when the table is, else removed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["TableFiles"]


@dataclass
class TableFiles:
    """The files of one table that is being written.

    A reader gives a new file another name than those that the old table names, so that the old table stays usable
    until the new one is written::

        folder = files.folder("labels")                  # samples.labels beside samples.parquet
        files.old.update(folder.glob("*.npy"))
        files.new.append(write_labels(folder))

    Attributes:
        table: File of the table.
        new: Files that this scan made, and folders for them.
        old: Files that the table before this scan named.
    """

    table: Path
    new: list[Path] = field(default_factory=list)
    old: set[Path] = field(default_factory=set)

    def folder(self, kind: str) -> Path:
        """The folder ``STEM.KIND`` beside the table; it is made when it is missing."""
        folder = self.table.with_name(f"{self.table.stem}.{kind}")
        if not folder.is_dir():
            folder.mkdir()
            self.new.append(folder)
        return folder

    @contextlib.contextmanager
    def kept(self) -> Iterator[TableFiles]:
        """Within this block the table is written: old files are removed at its end, new files after an error."""
        try:
            yield self
        except BaseException:
            _remove(self.new[::-1])
            raise
        _remove(sorted(self.old.difference(self.new), reverse=True))  # files before their folder


def _remove(paths: list[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):  # a folder that holds other files stays
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
