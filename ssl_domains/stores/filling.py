"""Fill a store file by file: decode the rows that are missing or out of date, or open them in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

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

__all__ = ["Progress", "fill_missing", "refuse_differing", "rows_that_differ"]

Progress = Callable[[int, int], None]
ROWS_AT_A_TIME = 4096

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
            watched = values if declared is not None else [WatchedRow(row, columns_read) for row in values]
            arrays = _decode(reader, form, path, watched)
            announcement.estimate(arrays)
            columns_read -= {"sample", "path", "array", "region"}
            columns = declared if declared is not None else tuple(sorted(columns_read))
            if columns not in digests:
                digests[columns] = row_digests(table, columns, numbers).tolist()
            until = at + len(values)
            made = zip(names[at:until], digests[columns][at:until], arrays, strict=True)
            journal.append(path, stat, columns, list(made))
            at = until
            done += len(values)
            if progress is not None:
                progress(done, len(rows))
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
) -> Iterator[tuple[NDArray[np.int64], list[tuple[str, list[dict[str, Any]]]]]]:
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
        values = table.frame[numbers].to_dicts()
        bounds = zip(starts[at:until].tolist(), ends[at:until].tolist(), strict=True)
        yield numbers, [(paths[start], values[start - first : stop - first]) for start, stop in bounds]
        at = until


def _decode(reader: Reader, form: DeclaredArrays, path: str, rows: Sequence[Mapping[str, Any]]) -> list[Made]:
    """Open or decode the rows of one file: for each row its array, or the cause why there is none."""
    if path and is_special(path):
        return [SPECIAL] * len(rows)
    made: list[Made | None] = [None] * len(rows)
    if isinstance(reader, OpenReader):
        made = [_open(reader, form, row) for row in rows]
    copied = [number for number, one in enumerate(made) if one is None]
    for number, one in zip(copied, _load_all(reader, form, path, [rows[number] for number in copied]), strict=True):
        made[number] = one
    return [one for one in made if one is not None]


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
) -> list[NDArray[np.generic] | str]:
    if isinstance(reader, FileReader) and path and rows:

        def loaded() -> list[NDArray[np.generic] | str]:
            arrays: Sequence[Any] = reader.load_file(path, rows)
            if len(arrays) != len(rows):
                raise ReadError(f"the reader gave {len(arrays)} arrays for {len(rows)} rows")
            return [_checked(array, form, path) for array in arrays]

        made = read_guarded(loaded, path)
        if not isinstance(made, Unreadable):
            return made
        if len(rows) == 1:
            return [made.cause]
    # Row by row when reading the whole file failed, so that the good rows of the file are still decoded.
    return [_load(reader, form, row) for row in rows]


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
