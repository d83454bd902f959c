"""The copy of all texts of a source file, one after another in UTF-8, in the folder ``samples.texts``."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ssl_domains.samples import TableFiles, current_session

__all__ = ["TextCopy", "text_folder"]


class TextCopy:
    """Writes texts to a new file beside the table that the scan under way writes; nothing where no table is written.

    A row of the table is a region of this file, in bytes. So neither the table nor the memory holds the texts, and a
    batch reads only its own.

    Args:
        folder: Folder of the copies; None writes nothing.
        files: Files of the table, to which the new one is added.

    Attributes:
        path: The file; None where nothing is written.
        size: Bytes written.
    """

    def __init__(self, folder: Path | None, files: TableFiles | None) -> None:
        self.path: Path | None = None
        self.size = 0
        self._file: BinaryIO | None = None
        if folder is not None and files is not None:
            self.path = _unused(folder)
            files.new.append(self.path)

    def __enter__(self) -> Self:
        if self.path is not None:
            self._file = self.path.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, text: bytes) -> tuple[int, int]:
        """Write a text and a line feed; returns the start and stop of the text in bytes."""
        start, stop = self.size, self.size + len(text)
        if self._file is not None:
            self._file.write(text + b"\n")
        self.size = stop + 1
        return start, stop


def text_folder() -> tuple[Path | None, TableFiles | None]:
    """The folder for copies beside the table that is being written, whose old copies go when the table is written."""
    session = current_session()
    files = None if session is None else session.files
    if files is None:
        return None, None
    folder = files.folder("texts").resolve()
    files.old.update(folder.glob("*.txt"))
    return folder, files


def _unused(folder: Path) -> Path:
    numbers = [int(path.stem) for path in folder.glob("*.txt") if path.stem.isdecimal()]
    return folder / f"{max(numbers, default=0) + 1}.txt"
