"""A generation of a store: its header and index, how they are read, continued and made current."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ssl_domains.errors import DataError, disk_is_full
from ssl_domains.stores.files.compaction import compacted, living_end
from ssl_domains.stores.files.header import Header, read_header
from ssl_domains.stores.files.index import Index, IndexBuilder
from ssl_domains.stores.files.journal import Journal, read_journal

__all__ = ["Generation", "continued", "mended", "new_generation"]

_TRIES = 5


@dataclass(frozen=True)
class Generation:
    """A store at one moment.

    Attributes:
        header: What ``store.json`` says.
        index: The index, with what the journal adds.
        lines: Number of lines in the journal.
    """

    header: Header
    index: Index
    lines: int = 0

    @classmethod
    def read(cls, folder: Path) -> Generation | None:
        """The store in a folder, as it is now; None when there is none. Another process may be filling it.

        Raises:
            DataError: When it can't be read, or has an earlier format.
        """
        for _ in range(_TRIES):
            header = read_header(folder)
            if header is None:
                return None
            if not header.current:
                cause = f"the store {folder.name} was made by an earlier version"
                raise DataError(cause, "fill it again: run pretrain or embed on the table")
            # Another process may write a new index, and remove this one, since the header was read.
            with suppress(FileNotFoundError):
                made = cls.of(header)
                if header.data_path.exists() or read_header(folder) == header:
                    return made
        raise DataError(f"the array store {folder.name} can't be read", "remove its folder and fill it again")

    @classmethod
    def of(cls, header: Header) -> Generation:
        """The store with this header.

        Raises:
            FileNotFoundError: When another process has filled it anew since the header was read.
        """
        builder = IndexBuilder(_index(header))
        for line in read_journal(header.journal_path, header.data_path, header.rank):
            builder.add(line)
        return cls(header, builder.build(), builder.lines)

    def folded(self, end: int) -> Generation:
        """Write the index with what the journal says, and begin a new journal; ``end`` is the size of the data.

        Dead bytes are removed first, if there are many. On a full disk the index and the journal stay as they are.
        """
        header = replace(self.header, index=self.header.index + 1, end=end)
        smaller = compacted(header, self.index)
        if smaller is not None:
            made = Generation(*smaller)
            if made.written():
                return made
            with suppress(OSError):
                made.header.data_path.unlink()
        made = Generation(header, self.index)
        return made if made.written() else self

    def written(self) -> bool:
        """Write the index, and make this generation the current one; false when the disk is full."""
        try:
            self.index.write(self.header.index_path, self.header.files_path)
            self.header.write()
        except Exception as error:
            if not isinstance(error, OSError) and not disk_is_full(error):  # polars has an error of its own
                raise
            for path in (self.header.index_path, self.header.files_path):
                with suppress(OSError):
                    path.unlink()
            return False
        return True


@contextmanager
def continued(header: Header) -> Iterator[tuple[Journal, IndexBuilder]]:
    """The journal of a store, to be appended to, and the builder of its index; the caller must hold the lock."""
    builder = IndexBuilder(_index(header))
    journal = Journal(header.journal_path, header.data_path, header.end, builder)
    try:
        yield journal, builder
    finally:
        journal.close()


def mended(header: Header) -> Header:
    """The header of a store whose data file is as long as the index says; the caller must hold the lock.

    If the data file was cut short, an index without the arrays that were cut off is written first, as new data will lie
    where they were.
    """
    size = header.data_path.stat().st_size if header.data_path.exists() else 0
    if size >= header.end:
        return header
    index = _index(header)
    made = Generation(replace(header, index=header.index + 1, end=living_end(index)), index)
    if not made.written():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return made.header


def new_generation(folder: Path, reader: str, axes: str, old: Header | None) -> Header:
    """Start a new, empty data file. A process that reads the deleted old files can go on until it closes them."""
    made = Header(folder, reader, axes, 0 if old is None else old.generation + 1)
    made.data_path.write_bytes(b"")
    made.journal_path.write_bytes(b"")
    made.write()
    return made


def _index(header: Header) -> Index:
    """The index that the header names, without arrays whose data was cut off.

    Raises:
        DataError: When it is damaged.
    """
    if header.index == 0:
        return Index.empty(header.rank)
    size = header.data_path.stat().st_size if header.data_path.exists() else 0
    try:
        return Index.read(header.index_path, header.files_path).within(size)
    except ValueError as error:
        cause = f"the index of the array store {header.folder.name} is damaged"
        raise DataError(cause, "remove its folder and fill it again") from error
