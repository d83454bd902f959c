"""Journal of a store: one line of JSON for each decoded file, written after the file's arrays and never changed.

The copied arrays lie one after the other in one data file. A line gives the place of each array and the end of the data
after them. Data behind the end of the last complete line was being written when filling stopped, and is cut off. From
time to time both files are forced to the disk (fsync), and a line records this. When filling continues, the data of
later lines is compared with their checksums, as a power cut may have lost it.

Paths of source files count from the folder of the sample table, as `SourcePaths` writes them.

At the end of a filling the lines become rows of the index, and a new journal begins.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import LazyArray
from ssl_domains.stores.files.entry import Entry, Line, Place
from ssl_domains.stores.files.index import IndexBuilder
from ssl_domains.stores.files.source_paths import SourcePaths

__all__ = ["ALIGNMENT", "Journal", "read_journal", "write_all"]

ALIGNMENT = 16
SYNC_BYTES = 256 << 20


class _Text(NamedTuple):
    """A line as it was read: what it says (None for a record that all before it reached the disk), and its end."""

    line: Line | None
    end: int


def _read(path: Path, data_size: int, rank: int) -> Iterator[_Text]:
    """The lines of a journal up to the first that is cut off or damaged, or whose data is incomplete."""
    position, places = 0, SourcePaths.of_store(path.parent)
    try:
        with path.open("rb") as file:
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                try:
                    values = json.loads(raw)
                    line = None if "synced" in values else Line.from_json(values, places)
                    if line is not None and not (_fits(line, rank) and line.end <= data_size):
                        return
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    return
                position += len(raw)
                yield _Text(line, position)
    except FileNotFoundError:
        return
    except IsADirectoryError as error:
        raise DataError(f"{path.name} of the array store is a folder", "remove the store and fill it again") from error


def _fits(line: Line, rank: int) -> bool:
    """Whether the values of a line have the types of an index, and its arrays the number of sides of the store."""
    stat = line.stat or ()
    texts = (line.path, *line.columns)
    numbers = (line.start, line.end, line.checksum, *stat)
    return (
        len(stat) in (0, 2)
        and all(map(_is_text, texts))
        and all(map(_is_number, numbers))
        and 0 <= line.start <= line.end
        and all(_entry_fits(entry, rank) for entry in line.entries)
    )


def _entry_fits(entry: Entry, rank: int) -> bool:
    texts = (entry.array, entry.dtype, entry.path, entry.cause)
    numbers = (entry.offset, entry.size, entry.modified, *entry.shape, *entry.strides)
    return (
        all(map(_is_text, texts))
        and (not entry.dtype or _is_dtype(entry.dtype))
        and all(map(_is_number, numbers))
        and all(side >= 0 for side in entry.shape)
        and _is_number(entry.digest, 1 << 64)
        and len(entry.shape) in (0, rank)
        and len(entry.strides) in (0, rank)
    )


def _is_text(value: object) -> bool:
    """Whether it is text that can be written as UTF-8; JSON may hold halves of surrogate pairs."""
    return isinstance(value, str) and not any("\ud800" <= one <= "\udfff" for one in value)


def _is_dtype(name: str) -> bool:
    try:
        return not np.dtype(name).hasobject
    except (TypeError, ValueError):
        return False


def _is_number(value: object, end: int = 1 << 63) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -end <= value < end


def read_journal(path: Path, data: Path, rank: int) -> Iterator[Line]:
    """The complete lines of a journal whose data is complete; safe while another process appends.

    Args:
        path: The journal.
        data: The data file.
        rank: Number of sides of the store's arrays.
    """
    # The size is read before the journal: data is always written before its line.
    size = data.stat().st_size if data.exists() else 0
    return (text.line for text in _read(path, size, rank) if text.line is not None)


class Journal:
    """Appends the arrays of files to a store; the caller must hold the store's lock.

    Opening a journal cuts off incomplete data of an interrupted filling.

    Args:
        journal: The journal file; made when it is missing.
        data: The data file.
        end: Bytes of the data file that the index describes; the arrays of the journal follow.
        rows: Gets the lines that are there already, and each line that is appended.
    """

    def __init__(self, journal: Path, data: Path, end: int, rows: IndexBuilder) -> None:
        self._data_path, self._rows, self._places = data, rows, SourcePaths.of_store(journal.parent)
        self._end, self._journal_end = end, 0
        size = data.stat().st_size if data.exists() else 0
        synced = max(
            (number for number, text in enumerate(_read(journal, size, rows.rank)) if text.line is None), default=-1
        )
        for number, text in enumerate(_read(journal, size, rows.rank)):
            if text.line is not None:
                if number > synced and not self._checks(text.line):
                    break
                rows.add(text.line)
                self._end = text.line.end
            self._journal_end = text.end
        self._synced = self._end
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._data = os.open(data, flags, 0o644)
        self._journal = os.open(journal, flags, 0o644)
        self._cut()

    @property
    def end(self) -> int:
        """Size of the data so far, in bytes."""
        return self._end

    def _checks(self, line: Line) -> bool:
        checksum, left = 0, line.end - line.start
        with self._data_path.open("rb") as file:
            file.seek(line.start)
            while left:
                block = file.read(min(left, 1 << 20))
                if not block:
                    return False
                checksum = zlib.crc32(block, checksum)
                left -= len(block)
        return checksum == line.checksum

    def _cut(self) -> None:
        os.ftruncate(self._data, self._end)
        os.ftruncate(self._journal, self._journal_end)
        os.lseek(self._data, self._end, os.SEEK_SET)
        os.lseek(self._journal, self._journal_end, os.SEEK_SET)

    def append(
        self,
        path: str,
        stat: list[int] | None,
        columns: tuple[str, ...],
        rows: Sequence[tuple[str, int, NDArray[np.generic] | LazyArray | str]],
    ) -> None:
        """Write the arrays of a file to the data file, then the line to the journal.

        Args:
            path: Path of the file.
            stat: Result of `file_stat`.
            columns: Columns that decoding read.
            rows: For each array its id, its digest, and the array: of any rank to be copied, not yet read to be read
                in place, or the cause why there is none.

        Raises:
            OSError: When the disk is full; the store is then as it was before.
        """
        start, checksum, end = self._end, 0, self._end
        entries: list[Entry] = []
        try:
            for name, digest, array in rows:
                if isinstance(array, str):
                    entries.append(Entry(name, digest, Place.NONE, cause=array))
                elif isinstance(array, np.ndarray):
                    blob = array.tobytes()
                    blob += bytes(-len(blob) % ALIGNMENT)
                    entries.append(Entry(name, digest, Place.COPIED, end, array.dtype.str, array.shape))
                    write_all(self._data, blob)
                    checksum = zlib.crc32(blob, checksum)
                    end += len(blob)
                else:
                    entries.append(Entry.opened(name, digest, array, path))
            line = Line(path, stat, columns, tuple(entries), start, end, checksum)
            text = json.dumps(line.to_json(self._places), separators=(",", ":")).encode() + b"\n"
            write_all(self._journal, text)
        except BaseException:
            self._cut()
            raise
        self._end, self._journal_end = end, self._journal_end + len(text)
        self._rows.add(line)
        if self._end - self._synced > SYNC_BYTES:
            self.sync()

    def sync(self) -> None:
        """Force all written data to the disk, and then the journal."""
        os.fsync(self._data)
        mark = json.dumps({"synced": self._end}).encode() + b"\n"
        try:
            write_all(self._journal, mark)
        except BaseException:
            self._cut()
            raise
        os.fsync(self._journal)
        self._journal_end += len(mark)
        self._synced = self._end

    def close(self) -> None:
        """Close both files."""
        os.close(self._data)
        os.close(self._journal)


def write_all(descriptor: int, blob: bytes | memoryview) -> None:
    """Write all bytes to a file; the operating system may take a part at a time."""
    view = memoryview(blob)
    while view:
        view = view[os.write(descriptor, view) :]
