"""The array store: arrays of a sample table in native type, shape and unit, decoded once and then memory-mapped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import Reader, SampleTable, write_whole
from ssl_domains.stores.declared import DeclaredArrays
from ssl_domains.stores.filling import (
    Progress,
    disk_errors,
    fill_missing,
    missing_rows,
    refuse_differing,
    rows_that_differ,
)
from ssl_domains.stores.fingerprint import reader_name, row_digests
from ssl_domains.stores.journal import Entry, Journal, Line, read_journal
from ssl_domains.stores.lock import only_one

__all__ = ["ArrayStore", "default_store"]

FORMAT = 1


def default_store(samples: str | Path) -> Path:
    """Default folder of a sample table's store: ``<stem>.store`` in the folder of the table."""
    path = Path(samples)
    return path.with_name(f"{path.stem}.store")


class ArrayStore:
    """Arrays by position, read-only. Only the index is pickled; each process maps the data file itself.

    The folder holds ``store.json`` (format, reader, generation), a journal and a data file. Tables that overlap may
    share a store: filling adds the missing rows. A reader of another class or version starts a new generation, which
    replaces all arrays.
    """

    def __init__(self, folder: Path, generation: int, lines: list[Line]) -> None:
        self.folder = folder
        self._journal, self._data = _paths(folder, generation)
        self._map: NDArray[np.uint8] | None = None
        # Latest entry of each sample: (columns that decoding read, entry, position or −1).
        self._known: dict[str, tuple[tuple[str, ...], Entry, int]] | None = {}
        problems: dict[str, tuple[str, str]] = {}
        arrays: list[Entry] = []
        for line in lines:
            for entry in line.entries:
                position = -1
                problems.pop(entry.sample, None)
                if entry.cause:
                    problems[entry.sample] = (line.path, entry.cause)
                else:
                    position = len(arrays)
                    arrays.append(entry)
                self._known[entry.sample] = (line.columns, entry, position)
        self._offsets = np.array([entry.offset for entry in arrays], dtype=np.int64)
        # All arrays of a store have the same rank; 3 stands for that of an empty store.
        self._rank = len(arrays[0].shape) if arrays else 3
        self._shapes = np.array([entry.shape for entry in arrays], dtype=np.int64).reshape(-1, self._rank)
        names = sorted({entry.dtype for entry in arrays})
        self._dtypes = tuple(np.dtype(name) for name in names)
        codes = {name: code for code, name in enumerate(names)}
        self._codes = np.array([codes[entry.dtype] for entry in arrays], dtype=np.uint8)
        self._problems = sorted(set(problems.values()))

    @classmethod
    def open(cls, folder: str | Path) -> ArrayStore:
        """Open an existing store, complete or partly filled.

        Raises:
            DataError: When there is no store, or it has a format that this version can't read.
        """
        folder = Path(folder)
        header = _header(folder)
        if header is None:
            raise DataError(
                f"there is no array store at {folder.name}", "filling makes one: run pretrain or embed on the table"
            )
        return cls(folder, header["generation"], read_journal(*_paths(folder, header["generation"])))

    @classmethod
    def fill(
        cls,
        folder: str | Path,
        table: SampleTable,
        reader: Reader,
        progress: Progress | None = None,
        *,
        retry: bool = False,
    ) -> ArrayStore:
        """Open the store and decode the rows of the table that are not in it yet.

        A filling that was interrupted is continued.

        Args:
            folder: Folder of the store; made when it is missing.
            table: The rows that the store must contain.
            reader: Decodes them.
            progress: Called after each file with the rows done and the rows to do.
            retry: Whether to try again rows that couldn't be decoded before, for instance after a decoder was
                installed. A file that changed is always decoded again.

        Raises:
            ResourceError: When the disk is full. Arrays written so far are kept, and the next call continues.
            UsageError: When another process is filling it, or the folder can't be written to.
        """
        folder = Path(folder)
        name = _name_and_axes(reader)
        header = _header(folder)
        if header is not None and header["reader"] == name:
            lines = read_journal(*_paths(folder, header["generation"]))
            if not len(missing_rows(table, lines, retry=retry)) and not rows_that_differ(table, lines, reader):
                return cls(folder, header["generation"], lines)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            busy = f"the store {folder.name} is being filled"
            with only_one(folder / "fill.lock", busy, "give this run a store of its own"):
                header = _header(folder)
                if header is None or header["reader"] != name:
                    header = _new_generation(folder, name, header)
                journal = Journal(*_paths(folder, header["generation"]))
                try:
                    rows = missing_rows(table, journal.lines, retry=retry)
                    fill_missing(table, rows, reader, journal, progress)
                    refuse_differing(table, reader, journal)
                    return cls(folder, header["generation"], journal.lines)
                finally:
                    journal.close()
        except OSError as error:
            user_error = disk_errors(error, folder)
            if user_error is None:
                raise
            raise user_error from error

    def positions(self, table: SampleTable) -> NDArray[np.int64]:
        """Position of each row's array, int64 ``[n]``; −1 where the row couldn't be decoded.

        Raises:
            DataError: When a row is not in the store, or the store's row of the same sample id has other values.
        """
        positions = np.full(len(table), -1, dtype=np.int64)
        by_columns: dict[tuple[str, ...], list[int]] = {}
        unknown: list[str] = []
        samples = table.frame["sample"].to_list()
        if self._known is None:  # an unpickled store, see __getstate__
            self._known = ArrayStore(self.folder, 0, read_journal(self._journal, self._data))._known or {}
        known = self._known
        for row, sample in enumerate(samples):
            if sample in known:
                by_columns.setdefault(known[sample][0], []).append(row)
            else:
                unknown.append(sample)
        for columns, rows in by_columns.items():
            for row, digest in zip(rows, row_digests(table, rows, columns), strict=True):
                _, entry, position = known[samples[row]]
                if entry.digest != digest:
                    unknown.append(samples[row])
                positions[row] = position
        if unknown:
            raise DataError(
                f"{len(unknown)} rows of the table aren't in the store {self.folder.name}, the first is {unknown[0]!r}",
                "the store was filled from another table: fill it again from this one",
            )
        return positions

    def causes(self, table: SampleTable) -> list[str]:
        """Why rows of the table have no array, one text for each such row, in the table's order.

        Raises:
            DataError: As `positions`.
        """
        failed = table.take(self.positions(table) < 0)
        assert self._known is not None  # set by `positions`
        return [self._known[sample][1].cause for sample in failed.frame["sample"]]

    @property
    def problems(self) -> pl.DataFrame:
        """Files that couldn't be decoded: columns ``path`` and ``cause``."""
        return pl.DataFrame(self._problems, schema={"path": pl.String, "cause": pl.String}, orient="row")

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, position: int) -> NDArray[np.generic]:
        """The array at a position: ``[H, W, C]`` or as the reader's axes say, native type, read-only, memory-mapped."""
        index = int(position)
        if not 0 <= index < len(self._offsets):
            raise IndexError(f"position {index} in a store of {len(self._offsets)} arrays")
        if self._map is None:
            self._map = np.memmap(self._data, dtype=np.uint8, mode="r")
        dtype = self._dtypes[self._codes[index]]
        shape = self._shapes[index]
        start = self._offsets[index]
        blob = self._map[start : start + int(shape.prod()) * dtype.itemsize]
        array: NDArray[np.generic] = np.asarray(blob).view(dtype).reshape(shape)
        return array

    def shape(self, position: int) -> tuple[int, ...]:
        """The sides of an array, such as height, width and channels, without reading the data."""
        return tuple(int(side) for side in self._shapes[position])

    def shapes(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The sides of several arrays, int64 ``[n, rank]``; positions must not be −1."""
        return self._shapes[positions]

    def dtypes(self, positions: NDArray[np.int64] | None = None) -> set[np.dtype[Any]]:
        """The set of dtypes of the arrays at the given positions (none of them −1), or of all arrays."""
        codes = self._codes if positions is None else self._codes[positions]
        return {self._dtypes[code] for code in np.unique(codes)}

    def channels(self, positions: NDArray[np.int64] | None = None) -> set[int]:
        """The set of lengths of the last side, at the given positions (none of them −1) or of all arrays."""
        counts = self._shapes[:, -1] if positions is None else self._shapes[positions, -1]
        return {int(count) for count in np.unique(counts)}

    def __getstate__(self) -> dict[str, Any]:
        # Workers read by position: the mapped data and the sample ids are not sent to them.
        return {**self.__dict__, "_map": None, "_known": None}


def _name_and_axes(reader: Reader) -> str:
    """Identity of a store's arrays: the reader, and its axes unless they are those of pictures (``hwc``)."""
    axes = DeclaredArrays.of(reader).axes
    return reader_name(reader) + ("" if axes == "hwc" else f" {axes}")


def _header(folder: Path) -> dict[str, Any] | None:
    try:
        header: dict[str, Any] = json.loads((folder / "store.json").read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(
            f"the array store {folder.name} can't be read", "remove its folder and fill it again"
        ) from error
    if header.get("format") != FORMAT:
        raise DataError(
            f"the array store {folder.name} has format {header.get('format')}, this version reads {FORMAT}",
            "remove its folder and fill it again",
        )
    return header


def _paths(folder: Path, generation: int) -> tuple[Path, Path]:
    return folder / f"journal-{generation}.jsonl", folder / f"arrays-{generation}.bin"


def _new_generation(folder: Path, reader: str, header: dict[str, Any] | None) -> dict[str, Any]:
    """Start new, empty files. A process that reads the deleted old files can go on until it closes them."""
    generation = int(header["generation"]) + 1 if header else 0
    made = {"format": FORMAT, "reader": reader, "generation": generation}
    for path in _paths(folder, generation):
        path.write_bytes(b"")
    write_whole(folder / "store.json", lambda part: part.write_text(json.dumps(made)))
    if header is not None:
        for path in _paths(folder, header["generation"]):
            path.unlink(missing_ok=True)
    return made
