"""Journal of a store: one line of JSON for each decoded file, written after the file's arrays and never changed.

The arrays lie one after the other in one data file. A line gives the place of each array and the end of the data after
them. Data behind the end of the last complete line was being written when filling stopped, and is cut off. From time to
time both files are forced to the disk (fsync), and a line records this. When filling continues, the data of later lines
is compared with their checksums, as a power cut may have lost it.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Entry", "Journal", "Line", "read_journal"]

ALIGNMENT = 16
SYNC_BYTES = 256 << 20


class Entry(NamedTuple):
    """The entry of one sample: the place and form of its array, or the cause why there is none.

    Attributes:
        sample: Sample id.
        digest: From `row_digests`.
        offset: First byte of the array in the data file; −1 without an array.
        dtype: NumPy's short name of the dtype with byte order, such as ``<f4``.
        shape: Lengths of the sides, in the order of the reader's axes.
        cause: The cause why there is no array; empty when there is one.
    """

    sample: str
    digest: str
    offset: int = -1
    dtype: str = ""
    shape: tuple[int, ...] = ()
    cause: str = ""

    def to_json(self) -> list[Any]:
        """The entry as a list of JSON values: with a cause 3 of them, else more."""
        if self.cause:
            return [self.sample, self.digest, self.cause]
        return [self.sample, self.digest, self.offset, self.dtype, *self.shape]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Entry:
        """The reverse of `to_json`."""
        if len(values) == 3:
            return cls(values[0], values[1], cause=values[2])
        sample, digest, offset, dtype, *shape = values
        return cls(sample, digest, offset, dtype, tuple(shape))


class Line(NamedTuple):
    """A line of the journal: the rows of one file that were decoded together.

    Attributes:
        path: Path of the file, as in the table.
        stat: Result of `file_stat`.
        columns: Columns that decoding read, besides sample and path.
        entries: One entry for each row.
        start: First byte of this line's data in the data file.
        end: First byte behind it.
        checksum: CRC-32 of the data.
    """

    path: str
    stat: list[int] | None
    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
    start: int
    end: int
    checksum: int

    def to_json(self) -> str:
        """The line as JSON text, with a newline at its end."""
        values = {
            "path": self.path, "stat": self.stat, "columns": self.columns, "start": self.start, "end": self.end,
            "crc": self.checksum, "rows": [entry.to_json() for entry in self.entries],
        }  # fmt: skip
        return json.dumps(values, separators=(",", ":")) + "\n"

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Line:
        """The reverse of `to_json`, from the parsed line."""
        entries = tuple(Entry.from_json(row) for row in values["rows"])
        columns = tuple(values["columns"])
        return cls(values["path"], values["stat"], columns, entries, values["start"], values["end"], values["crc"])


@dataclass
class _Read:
    lines: list[Line] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # end of each line in the journal, in bytes
    synced: int = 0  # number of lines before the last fsync


def _read(path: Path, data_size: int) -> _Read:
    read = _Read()
    position = 0
    try:
        with path.open("rb") as file:
            for raw in file:
                if not raw.endswith(b"\n"):
                    break
                try:
                    values = json.loads(raw)
                    line = None if "synced" in values else Line.from_json(values)
                except (ValueError, KeyError, TypeError):
                    break
                if line is not None and line.end > data_size:
                    break
                position += len(raw)
                if line is None:
                    read.synced = len(read.lines)
                    if read.ends:
                        read.ends[-1] = position
                else:
                    read.lines.append(line)
                    read.ends.append(position)
    except FileNotFoundError:
        pass
    return read


def read_journal(path: Path, data: Path) -> list[Line]:
    """Read the complete lines of a journal whose data is complete; safe while another process appends."""
    # The size is read before the journal: data is always written before its line.
    return _read(path, data.stat().st_size if data.exists() else 0).lines


class Journal:
    """Appends the arrays of files to a store; the caller must hold the store's lock.

    Opening a journal cuts off incomplete data of an interrupted filling.
    """

    def __init__(self, journal: Path, data: Path) -> None:
        self._data_path = data
        read = _read(journal, data.stat().st_size if data.exists() else 0)
        good = read.synced
        while good < len(read.lines) and self._checks(read.lines[good]):
            good += 1
        self.lines: list[Line] = read.lines[:good]
        self._end = self.lines[-1].end if self.lines else 0
        self._journal_end = read.ends[good - 1] if good else 0
        self._synced = self._end
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._data = os.open(data, flags, 0o644)
        self._journal = os.open(journal, flags, 0o644)
        self._cut()

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
        rows: Sequence[tuple[str, str, NDArray[np.generic] | str]],
    ) -> Line:
        """Write the arrays of a file's rows to the data file, then the line to the journal.

        Args:
            path: Path of the file.
            stat: Result of `file_stat`.
            columns: Columns that decoding read.
            rows: (sample, digest, array of any rank, or the cause why there is none) of each row.

        Raises:
            OSError: When the disk is full; the store is then as it was before.
        """
        start, checksum, end = self._end, 0, self._end
        entries: list[Entry] = []
        try:
            for sample, digest, array in rows:
                if isinstance(array, str):
                    entries.append(Entry(sample, digest, cause=array))
                    continue
                blob = array.tobytes()
                blob += bytes(-len(blob) % ALIGNMENT)
                entries.append(Entry(sample, digest, end, array.dtype.str, array.shape))
                _write(self._data, blob)
                checksum = zlib.crc32(blob, checksum)
                end += len(blob)
            line = Line(path, stat, columns, tuple(entries), start, end, checksum)
            text = line.to_json().encode()
            _write(self._journal, text)
        except BaseException:
            self._cut()
            raise
        self._end, self._journal_end = end, self._journal_end + len(text)
        self.lines.append(line)
        if self._end - self._synced > SYNC_BYTES:
            self.sync()
        return line

    def sync(self) -> None:
        """Force all written data to the disk, and then the journal."""
        os.fsync(self._data)
        mark = json.dumps({"synced": self._end}).encode() + b"\n"
        try:
            _write(self._journal, mark)
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


def _write(descriptor: int, blob: bytes) -> None:
    view = memoryview(blob)
    while view:
        view = view[os.write(descriptor, view) :]
