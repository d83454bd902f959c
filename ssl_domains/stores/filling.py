"""Fill a store file by file: decode the rows that are missing or out of date, or open them in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import PluginError
from ssl_domains.samples import (
    FileReader,
    LazyArray,
    OpenReader,
    Reader,
    ReadError,
    SampleTable,
    Unreadable,
    cause_of,
    read_guarded,
)
from ssl_domains.samples.scanning.guard import SPECIAL, is_special
from ssl_domains.samples.tables.regions import array_ids, region_column
from ssl_domains.stores.copying import Announcement
from ssl_domains.stores.current import first_rows
from ssl_domains.stores.declared import DeclaredArrays, differing_channels, usual_channels
from ssl_domains.stores.files.entry import Place
from ssl_domains.stores.files.index import Index
from ssl_domains.stores.files.journal import Journal
from ssl_domains.stores.fingerprint import WatchedRow, declared_columns, file_stat, row_digests
from ssl_domains.stores.table_rows import ChangedRows, TableRows

__all__ = ["Progress", "fill_missing", "refuse_differing", "rows_that_differ"]

Progress = Callable[[int, int], None]
ROWS_AT_A_TIME = 4096
_PIECE_BYTES = 16 << 20  # of arrays of one file that are in memory at a time

Made = NDArray[np.generic] | LazyArray | str  # to be copied, to be read in place, or the cause why there is none


def fill_missing(
    table: SampleTable,
    rows: NDArray[np.int64],
    reader: Reader,
    journal: Journal,
    announcement: Announcement,
    progress: Progress | None,
) -> None:
    """Decode the rows, a file at a time, and append them to the journal; rows of one file must be neighbours.

    Of a file of many arrays some megabytes are in memory at a time, where the reader makes them one by one.

    Raises:
        ResourceError: When the reader knows how many bytes will be copied, and the disk has not as many.
    """
    declared, form = declared_columns(reader), DeclaredArrays.of(reader)
    announcement.exact(row for _, files in _blocks(table, rows) for _, values in files for row in values)
    ids = array_ids(table)
    done = 0
    for numbers, files in _blocks(table, rows):
        names = ids.gather(numbers).to_list()
        digests: dict[tuple[str, ...], list[int]] = {}  # columns → digest of each row of the block
        at = 0
        for path, values in files:
            stat = file_stat(path) if path else None
            columns_read: set[str] = set()
            watched = (
                values if declared is not None else ChangedRows(values, partial(WatchedRow, keys_read=columns_read))
            )
            for arrays in _pieces(_decode(reader, form, path, watched)):
                announcement.estimate(arrays)
                undeclared = tuple(sorted(columns_read - {"sample", "path", "array", "region"}))
                columns = undeclared if declared is None else declared
                if columns not in digests:
                    digests[columns] = row_digests(table, columns, numbers).tolist()
                until = at + len(arrays)
                made = zip(names[at:until], digests[columns][at:until], arrays, strict=True)
                journal.append(path, stat, columns, list(made))
                at = until
                done += len(arrays)
                if progress is not None:
                    progress(done, len(rows))
                del arrays, made  # before the next ones are made
    journal.sync()


def rows_that_differ(table: SampleTable, index: Index, reader: Reader) -> list[tuple[int, str]]:
    """Arrays of the table whose number of channels is not the usual one: row of the index, and cause.

    A single channel fits any number. With axes without channels, no row differs. Rows with a region are not compared,
    as a region may choose channels.
    """
    form = DeclaredArrays.of(reader)
    if form.mixed_channels or not form.axes.endswith("c"):
        return []
    first = first_rows(table)
    whole = table if len(first) == len(table) else table.take(first)
    regions = region_column(whole)
    at = index.lookup(array_ids(whole))
    if regions is not None:
        at = at[regions.is_null().to_numpy()]
    at = at[at >= 0]
    at = at[index.places[at] != Place.NONE]
    counts = index.shapes[at, -1]
    usual = usual_channels(counts.tolist())
    causes = {count: differing_channels(count, usual) for count in np.unique(counts).tolist()}
    wrong = np.flatnonzero(np.isin(counts, [count for count, cause in causes.items() if cause is not None]))
    return [(int(at[k]), str(causes[int(counts[k])])) for k in wrong.tolist()]


def refuse_differing(table: SampleTable, reader: Reader, index: Index, journal: Journal) -> None:
    """Record as problems the arrays of the table whose number of channels is not the usual one.

    This is done when all rows are decoded, as only then the usual number is known.
    """
    for at, cause in rows_that_differ(table, index, reader):
        row = index.rows.row(at, named=True)
        path, size, modified, columns = index.files.row(row["file"])
        stat = None if size is None else [size, modified]
        journal.append(path, stat, index.columns[columns], [(row["array"], row["digest"], cause)])


def _blocks(
    table: SampleTable, rows: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], list[tuple[str, TableRows]]]]:
    """Some files at a time: the positions of their rows; and for each file its path and the values of its rows.

    A file is never split, as it is opened once for all its rows. Without paths, each row counts as a file.
    """
    paths: list[str] = [""] * len(rows)
    starts = np.arange(len(rows), dtype=np.int64)
    if "path" in table.columns:
        column = table.frame["path"].cast(pl.String).fill_null("").gather(rows)
        paths, starts = column.to_list(), np.flatnonzero((column != column.shift(1)).fill_null(True).to_numpy())
    ends = np.append(starts[1:], len(rows))
    at = 0
    while at < len(starts):
        first = int(starts[at])
        until = max(at + 1, int(np.searchsorted(ends, first + ROWS_AT_A_TIME, side="right")))
        numbers = rows[first : int(ends[until - 1])]
        bounds = zip(starts[at:until].tolist(), ends[at:until].tolist(), strict=True)
        yield numbers, [(paths[start], TableRows(table.frame, rows[start:stop])) for start, stop in bounds]
        at = until


def _pieces(made: Iterator[Made]) -> Iterator[list[Made]]:
    """The arrays of a file, some megabytes of them at a time."""
    piece: list[Made] = []
    size = 0
    for one in made:
        piece.append(one)
        size += one.nbytes if isinstance(one, np.ndarray) else 0
        if size >= _PIECE_BYTES or len(piece) >= ROWS_AT_A_TIME:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _decode(reader: Reader, form: DeclaredArrays, path: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Made]:
    """Open or decode the rows of one file: for each row its array, or the cause why there is none."""
    if path and is_special(path):
        yield from [SPECIAL] * len(rows)
        return
    if not isinstance(reader, OpenReader):
        yield from _load_all(reader, form, path, rows)
        return
    opened = [_open(reader, form, row) for row in rows]
    copied = [rows[number] for number, one in enumerate(opened) if one is None]
    loaded = _load_all(reader, form, path, copied)
    for one in opened:
        yield next(loaded) if one is None else one


def _open(reader: OpenReader, form: DeclaredArrays, row: Mapping[str, Any]) -> LazyArray | str | None:
    """The array of a row in place, the cause why it is refused, or None when it is to be copied."""

    def opened() -> LazyArray | str | None:
        lazy = reader.open(row)
        if lazy is None:
            return None
        if not isinstance(lazy, LazyArray):
            raise ReadError(f"the reader's open gave {type(lazy).__name__}, which has no shape, dtype and read")
        return form.form_refusal(lazy.shape, np.dtype(lazy.dtype)) or lazy

    made = read_guarded(opened, row.get("path"))
    return made.cause if isinstance(made, Unreadable) else made


def _load_all(
    reader: Reader, form: DeclaredArrays, path: str, rows: Sequence[Mapping[str, Any]]
) -> Iterator[NDArray[np.generic] | str]:
    done = 0
    if isinstance(reader, FileReader) and path and rows:
        for made in _load_file(reader, path, rows):
            checked = made if isinstance(made, Unreadable) else _checked_guarded(made, form, path)
            if isinstance(checked, Unreadable):
                if len(rows) == 1:
                    yield checked.cause
                    return
                break
            yield checked
            done += 1
    # Row by row where reading the whole file failed, so that the good rows of the file are still decoded.
    for row in rows[done:]:
        yield _load(reader, form, row)


def _load_file(reader: FileReader, path: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """What the reader gives for the rows of a file; `Unreadable` at the end when it fails or gives too few.

    Raises:
        PluginError: When a reader that makes arrays one by one makes more than there are rows.
    """
    arrays = read_guarded(lambda: reader.load_file(path, rows), path)
    if isinstance(arrays, Unreadable):
        yield arrays
        return
    if isinstance(arrays, Sized) and len(arrays) != len(rows):
        yield Unreadable(f"the reader gave {len(arrays)} arrays for {len(rows)} rows")
        return
    each = iter(arrays)
    for number in range(len(rows)):
        made = read_guarded(lambda: next(each, None), path)
        yield Unreadable(f"the reader gave {number} arrays for {len(rows)} rows") if made is None else made
    if read_guarded(lambda: next(each, None), path) is not None:
        cause = f"the reader gave more than {len(rows)} arrays for {len(rows)} rows of one file"
        raise PluginError(cause, "load_file gives one array for each row, in their order")


def _checked_guarded(array: Any, form: DeclaredArrays, path: str) -> NDArray[np.generic] | str | Unreadable:
    return read_guarded(lambda: _checked(array, form, path), path)


def _load(reader: Reader, form: DeclaredArrays, row: Mapping[str, Any]) -> NDArray[np.generic] | str:
    path = row.get("path")
    made = read_guarded(lambda: _checked(reader.load(row), form, path), path)
    return made.cause if isinstance(made, Unreadable) else made


def _checked(array: Any, form: DeclaredArrays, path: str | None) -> NDArray[np.generic] | str:
    """The array in the machine's byte order, or the cause why it is refused."""
    if isinstance(array, ReadError):  # `load_file` may return an error for a single row
        return cause_of(array, path)
    array = np.asarray(array)
    refusal = form.refusal(array)
    if refusal is not None:
        return refusal
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
