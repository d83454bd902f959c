"""The array store: arrays of a sample table in native type, shape and unit; decoded once, or read where they lie."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.quantities import plural
from ssl_domains.samples import Reader, SampleTable, only_one, write_errors
from ssl_domains.stores.arrays import StoredArrays, map_data
from ssl_domains.stores.copying import Announcement, Notice
from ssl_domains.stores.current import missing_rows
from ssl_domains.stores.declared import DeclaredArrays
from ssl_domains.stores.files.entry import Place
from ssl_domains.stores.files.generation import Generation, continued, mended, new_generation
from ssl_domains.stores.files.header import read_header
from ssl_domains.stores.files.index import Index
from ssl_domains.stores.filling import Progress, fill_missing, refuse_differing, rows_that_differ
from ssl_domains.stores.fingerprint import reader_name
from ssl_domains.stores.resolution import arrays_of_table
from ssl_domains.stores.sample_arrays import SampleArrays

__all__ = ["ArrayStore", "default_store"]

_GO_ON = "run again: what was filled is kept, and filling goes on from there"
_READ_AGAIN = "fill the store again, from this table: ArrayStore.fill(folder, table, reader)"


def default_store(samples: str | Path) -> Path:
    """Default folder of a sample table's store: ``<stem>.store`` in the folder of the table."""
    path = Path(samples)
    return path.with_name(f"{path.stem}.store")


class ArrayStore:
    """The arrays of sample tables. `of` gives those of a table by row; the store itself knows arrays by position.

    The folder holds ``store.json`` (format, reader, numbers of the other files), the data file with the copied arrays,
    an index and a journal of what was filled since the index was written. Tables that overlap may share a store:
    filling adds the missing rows. A reader of another class or version starts a new generation, which replaces all
    arrays.

    Only the index is pickled; each process maps the files itself.
    """

    def __init__(self, generation: Generation, reader: Reader | None = None) -> None:
        self.folder = generation.header.folder
        self._journal, self._data = generation.header.journal_path, generation.header.data_path
        self._header = generation.header
        self._generation: Generation | None = generation
        opened = bool((self._index.places == Place.READER).any())
        self._reader = reader if opened else None  # a reader that isn't needed need not be picklable
        # Mapped now, so that it can be read on when the store is filled anew.
        copied = bool((self._index.places == Place.COPIED).any())
        self._map = map_data(self._data) if copied else None

    @classmethod
    def open(cls, folder: str | Path, reader: Reader | None = None) -> ArrayStore:
        """Open an existing store, complete or partly filled.

        Args:
            folder: Folder of the store.
            reader: The reader that it was filled with; needed only when that opens arrays in place in a way of its own.

        Raises:
            DataError: When there is no store, it has a format that this version can't read, it was filled with another
                reader, or a reader is needed.
        """
        folder = Path(folder)
        generation = Generation.read(folder)
        if generation is None:
            raise DataError(
                f"there is no array store at {folder.name}", "filling makes one: run pretrain or embed on the table"
            )
        header = generation.header
        if reader is not None and _name_and_axes(reader) != header.reader:
            raise DataError(f"the store {folder.name} was filled with another reader: {header.reader}", _READ_AGAIN)
        if reader is None and bool((generation.index.places == Place.READER).any()):
            cause = f"the store {folder.name} has arrays that its reader opens in place"
            raise DataError(cause, "hand over the reader: ArrayStore.open(folder, reader)")
        return cls(generation, reader)

    @classmethod
    def fill(
        cls,
        folder: str | Path,
        table: SampleTable,
        reader: Reader,
        progress: Progress | None = None,
        *,
        retry: bool = False,
        notice: Notice | None = None,
    ) -> ArrayStore:
        """Open the store and decode the rows of the table that are not in it yet.

        Arrays that the reader opens in place (`OpenReader`) are not copied. An array whose source file is not there now
        is kept; one whose file changed is decoded again. A filling that was interrupted is continued.

        Args:
            folder: Folder of the store; made when it is missing.
            table: The rows that the store must contain.
            reader: Decodes them.
            progress: Called after each file with the rows done and the rows to do.
            retry: Whether to try again rows that couldn't be decoded before, for instance after a decoder was
                installed. A file that changed is always decoded again.
            notice: Called with sentences for the user: how many bytes will be copied, how many arrays are kept though
                their file is absent, and that a store of an earlier format is filled anew.

        Raises:
            ResourceError: When the disk is full, or too small for what the reader says that it will write. Arrays
                written so far are kept, and the next call continues.
            UsageError: When another process is filling it, or the folder can't be written to.
        """
        folder, say = Path(folder), notice or (lambda sentence: None)
        name, axes = _name_and_axes(reader), DeclaredArrays.of(reader).axes
        generation = _of_reader(folder, name)
        if generation is not None:
            rows, absent = missing_rows(table, generation.index, retry=retry)
            if not len(rows) and not rows_that_differ(table, generation.index, reader):
                _say_absent(absent, say)
                return cls(_folded(generation), reader)
        with write_errors(f"the store {folder.name}", _GO_ON):
            folder.mkdir(parents=True, exist_ok=True)
            busy = f"the store {folder.name} is being filled"
            with only_one(folder / "fill.lock", busy, "give this run a store of its own"):
                header = read_header(folder)
                if header is not None and not header.current:
                    say(f"the store {folder.name} was made by an earlier version: it is filled anew")
                if header is None or not header.current or header.reader != name:
                    header = new_generation(folder, name, axes, header)
                header = mended(header)
                with continued(header) as (journal, builder):
                    rows, absent = missing_rows(table, builder.build(), retry=retry)
                    _say_absent(absent, say)
                    announcement = Announcement(folder, reader, len(rows), say)
                    fill_missing(table, rows, reader, journal, announcement, progress)
                    refuse_differing(table, reader, builder.build(), journal)
                    return cls(Generation(header, builder.build(), builder.lines).folded(journal.end), reader)

    def of(self, table: SampleTable) -> SampleArrays:
        """The arrays of a table, by row.

        Columns ``array`` and ``region`` are applied: see `ssl_domains.samples.Reader`. Rows that could not be decoded,
        whose region doesn't fit their array, or whose file is read in place and absent, have no array but a cause.

        Raises:
            DataError: When a row is not in the store, or has other values, or its file was changed, since the store was
                filled.
        """
        made, unknown = arrays_of_table(table, self._data, self._index, self._reader, self._header.axes, self._map)
        if made is None:
            first = table.frame["sample"][int(unknown[0])]
            raise DataError(
                f"store {self.folder.name} lacks {plural(len(unknown), 'row')} of the table, the first is {first!r}",
                "the store was filled from another table, or their files changed since: fill it again from this one",
            )
        return made

    def positions(self, table: SampleTable) -> NDArray[np.int64]:
        """Position of each row's array in the store, int64 ``[n]``; −1 for rows without an array.

        Raises:
            DataError: As `of`.
        """
        return self.of(table).positions

    def causes(self, table: SampleTable) -> list[str]:
        """Why rows of the table have no array, one text for each such row, in the table's order.

        Raises:
            DataError: As `of`.
        """
        return self.of(table).causes()

    @property
    def _index(self) -> Index:
        """The index; read again in a process that unpickled the store."""
        if self._generation is None:
            self._generation = Generation.of(self._header)
        return self._generation.index

    @property
    def problems(self) -> pl.DataFrame:
        """Files that couldn't be decoded: columns ``path`` and ``cause``."""
        rows = self._index.rows.filter(pl.col("place") == int(Place.NONE))
        paths = self._index.files["path"].gather(rows["file"])
        return pl.DataFrame({"path": paths, "cause": rows["cause"].cast(pl.String)}).unique().sort("path", "cause")

    @cached_property
    def _arrays(self) -> StoredArrays:
        """The arrays by position."""
        at = np.flatnonzero(self._index.places != Place.NONE)
        return StoredArrays.of(self._data, self._index, at, self._map)

    def __len__(self) -> int:
        return len(self._arrays)

    def __getitem__(self, position: int) -> NDArray[np.generic]:
        """The array at a position: ``[H, W, C]`` or as the reader's axes say, native type, read-only, memory-mapped.

        Raises:
            IndexError: When there is no such position.
            DataError: For an array that the reader opens in place from its row: read it by `of`.
        """
        index = int(position)
        if not 0 <= index < len(self):
            raise IndexError(f"position {index} in a store of {len(self)} arrays")
        return self._arrays.read(index, ())[0]

    def shape(self, position: int) -> tuple[int, ...]:
        """The sides of an array, such as height, width and channels, without reading the data."""
        return self._arrays.shape(int(position))

    def shapes(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The sides of several arrays, int64 ``[n, rank]``; positions must not be −1."""
        return self._arrays.shapes[positions].astype(np.int64)

    def dtypes(self, positions: NDArray[np.int64] | None = None) -> set[np.dtype[Any]]:
        """The set of dtypes of the arrays at the given positions (none of them −1), or of all arrays."""
        codes = self._arrays.dtype if positions is None else self._arrays.dtype[positions]
        return {self._arrays.dtypes[code].newbyteorder("=") for code in np.unique(codes)}

    def channels(self, positions: NDArray[np.int64] | None = None) -> set[int]:
        """The set of lengths of the last side, at the given positions (none of them −1) or of all arrays."""
        counts = self._arrays.shapes[:, -1] if positions is None else self._arrays.shapes[positions, -1]
        return {int(count) for count in np.unique(counts)}

    def __getstate__(self) -> dict[str, Any]:
        # Forked workers must not use polars: they get the arrays by position, and not the index.
        return {**self.__dict__, "_arrays": self._arrays, "_generation": None, "_map": None}


def _name_and_axes(reader: Reader) -> str:
    """Identity of a store's arrays: the reader, and its axes unless they are those of pictures (``hwc``)."""
    axes = DeclaredArrays.of(reader).axes
    return reader_name(reader) + ("" if axes == "hwc" else f" {axes}")


def _of_reader(folder: Path, name: str) -> Generation | None:
    """The store, if it has this version's format and was filled with the reader of this name."""
    header = read_header(folder)
    if header is None or not header.current or header.reader != name:
        return None
    return Generation.read(folder)


def _folded(generation: Generation) -> Generation:
    """Write the journal of a filling that was killed at its end into the index, if the store can be written now."""
    if generation.lines:
        with suppress(UsageError, OSError), only_one(generation.header.folder / "fill.lock", ""):
            if read_header(generation.header.folder) == generation.header:
                with continued(generation.header) as (journal, builder):
                    return Generation(generation.header, builder.build(), builder.lines).folded(journal.end)
    return generation


def _say_absent(count: int, say: Notice) -> None:
    if count:
        arrays = plural(count, "stored array")
        say(f"the source files of {arrays} are not there now: the arrays are used as they were stored")
