"""A scan in progress: what was read before a restart, and how far it is."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

from ssl_domains.samples.scanning.table_files import TableFiles

__all__ = ["ScanSession", "current_session", "scan_session"]

Progress = Callable[[str, int, int], None]
_CURRENT: ContextVar[ScanSession | None] = ContextVar("scan_session", default=None)


class ScanSession:
    """The journal of a scan: a file of one line a source file, from which a killed scan goes on.

    The first line has the domain, source and options of the scan; the journal of another scan is begun anew. Each line
    begins with a checksum, and a line that was cut off by a kill, or damaged, is passed over: its file is read again.

    Args:
        journal: The file, readable by its owner only; None for a scan that can't be restarted.
        request: Anything that changes what is read: domain, version of the reader, options.
        progress: Called as ``progress(what, done, total)``.
        files: Files that belong to the table that is written; None where no table is.

    Attributes:
        folder: Folder of the table that is written, where a reader may keep files of its own; None without a journal.
    """

    def __init__(
        self, journal: Path | None, request: str, progress: Progress | None = None, files: TableFiles | None = None
    ) -> None:
        self.progress = progress
        self.files = files
        self.folder = None if journal is None else Path(journal).parent
        self.restored = 0
        self._known: dict[tuple[str, str], tuple[list[Any], Any]] = {}
        self._file: TextIO | None = None
        if journal is not None:
            self._file = self._open(journal, request)

    def _open(self, journal: Path, request: str) -> TextIO:
        head = json.dumps({"scan": request})
        handle = os.open(journal, os.O_RDWR | os.O_CREAT, 0o600)
        # Bytes that are not UTF-8 only spoil their own line.
        file = os.fdopen(handle, "r+", encoding="utf-8", errors="surrogateescape", newline="\n")
        if file.readline().rstrip("\n") == head:
            for line in file:
                checksum, _, text = line.rstrip("\n").partition(" ")
                if checksum == _checksum(text):
                    what, path, stat, value = json.loads(text)
                    self._known[what, path] = (stat, value)
            file.seek(0, os.SEEK_END)
            file.write("\n")  # ends a line that a kill may have cut off
        else:
            file.seek(0)
            file.truncate()
            file.write(head + "\n")
        return file

    def known(self, what: str, path: str, stat: list[Any]) -> tuple[bool, Any]:
        """Whether a file was read before with the same size, time of change and version, and what was read."""
        # Removed, as each file is looked up once, and a large scan needs the memory.
        before, value = self._known.pop((what, path), (None, None))
        if before != stat:
            return False, None
        self.restored += 1
        return True, value

    def remember(self, what: str, path: str, stat: list[Any], value: Any) -> Any:
        """Write the value read from a file, and return it as JSON gives it back."""
        if self._file is None:
            return value
        line = json.dumps([what, path, stat, value])
        self._file.write(f"{_checksum(line)} {line}\n")
        return json.loads(line)[3]

    def flush(self) -> None:
        """Hand the lines over to the operating system, so that they outlive this process."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the journal."""
        if self._file is not None:
            self._file.close()


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode('utf-8', 'surrogateescape')):08x}"


@contextmanager
def scan_session(session: ScanSession) -> Iterator[ScanSession]:
    """Make ``session`` the one that `each_file` uses within this block."""
    token = _CURRENT.set(session)
    try:
        yield session
    finally:
        _CURRENT.reset(token)
        session.close()


def current_session() -> ScanSession | None:
    """The session of the scan that is under way; None when a reader's scan is called outside of one."""
    return _CURRENT.get()
