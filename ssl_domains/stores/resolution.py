"""The arrays of a table, found in the index of a store: which array each row has, which part of it, or why none."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import OpenReader, Reader, SampleTable
from ssl_domains.samples.tables.regions import region_column
from ssl_domains.stores.arrays import StoredArrays, narrow
from ssl_domains.stores.current import Rows, changed_elsewhere, changed_files, first_rows, rows_of
from ssl_domains.stores.files.entry import Place
from ssl_domains.stores.files.index import Index
from ssl_domains.stores.region_column import Parts, parts_of
from ssl_domains.stores.sample_arrays import SampleArrays

__all__ = ["arrays_of_table"]

_ROWS_AT_A_TIME = 1 << 16
_ABSENT = "its file is not there now, and it is read in place"


def arrays_of_table(
    table: SampleTable, data: Path, index: Index, reader: Reader | None, axes: str, mapped: mmap.mmap | None
) -> tuple[SampleArrays | None, NDArray[np.int64]]:
    """Find the array of each row.

    Args:
        table: The table.
        data: Data file of the store.
        index: Index of the store.
        reader: Opens arrays that lie in no `Region`.
        axes: Axes of the reader.
        mapped: The data file, mapped; None when nothing is copied.

    Returns:
        The arrays, and no row; or None, and the rows that are not in the index as they are now, int64.
    """
    found = rows_of(table, index)
    causes, unknown = _causes(table, index, found)
    if len(unknown):
        return None, unknown
    usable = causes.is_null().to_numpy().copy()
    shapes = np.zeros((len(table), index.rank), dtype=np.int64)
    shapes[usable] = index.shapes[found.at[usable]]
    column, parts = region_column(table), None
    if column is not None:
        parts = parts_of(column, shapes, usable, axes)
        refused = np.array(sorted(parts.refused), dtype=np.int64)
        causes = causes.scatter(refused, [parts.refused[row] for row in refused.tolist()]) if len(refused) else causes
        usable[refused] = False
    used = np.zeros(len(index), dtype=np.bool_)
    used[found.at[usable]] = True
    at = np.flatnonzero(used)
    number = narrow(np.cumsum(used) - used)
    numbers = np.zeros(len(table), dtype=number.dtype)
    numbers[usable] = number[found.at[usable]]
    arrays = StoredArrays.of(data, index, at, mapped)
    if isinstance(reader, OpenReader) and (arrays.place == Place.READER).any():
        arrays.reader, arrays.rows = reader, _opening_rows(table, index, at, numbers, usable)
    position = np.cumsum(index.places != Place.NONE) - 1
    ends = None if parts is None else (narrow(parts.starts), narrow(parts.stops))
    fingerprint = _fingerprint(index, found.at, usable, parts)
    return (
        SampleArrays(usable, fingerprint, arrays, numbers, narrow(position[at]), ends, _distinct(causes, usable)),
        unknown,
    )


def _causes(table: SampleTable, index: Index, found: Rows) -> tuple[pl.Series, NDArray[np.int64]]:
    """Why each row has no array (text, null where it has one), and the rows that the index doesn't hold."""
    causes = pl.Series([None], dtype=pl.String).new_from_index(0, len(table))
    unknown = found.at < 0
    if not len(index):
        return causes, np.flatnonzero(unknown)
    other = np.flatnonzero(~unknown & ~found.same)
    first = np.zeros(len(table), dtype=np.bool_)
    if len(other):
        # The first row of an array is the one that it is decoded from; the others must name the same values.
        first[first_rows(table)] = True
        unknown[other[first[other]]] = True
        other = other[~first[other]]
    file, place = index.values("file")[found.at], index.places[found.at]
    in_place = (found.at >= 0) & ((place == Place.REGION) | (place == Place.READER))
    absent = np.zeros(0, dtype=np.int64)
    if in_place.any():
        changed, gone = changed_files(index, np.unique(found.at[in_place]))
        unknown |= in_place & changed[file]
        gone_rows = in_place & gone[file]
        rows = np.flatnonzero(in_place)
        other_changed, other_gone = changed_elsewhere(index, found.at[rows])
        unknown[rows] |= other_changed
        gone_rows[rows] |= other_gone
        absent = np.flatnonzero(gone_rows)
    failed = np.flatnonzero((found.at >= 0) & (place == Place.NONE))
    if len(failed):
        causes = causes.scatter(failed, index.rows["cause"].gather(found.at[failed]))
    if len(absent):
        causes = causes.scatter(absent, _ABSENT)
    if len(other):
        ids = table.frame["array"].cast(pl.String).gather(other)
        read = index.files["columns"].gather(index.values("file")[found.at[other]])
        texts = [_other_values(name, index.columns[code]) for name, code in zip(ids, read, strict=True)]
        causes = causes.scatter(other, texts)
    return causes, np.flatnonzero(unknown)


def _other_values(array: str, columns: tuple[str, ...]) -> str:
    read = " or ".join(repr(name) for name in ("path", *columns))
    return f"its array {array!r} is that of an earlier row, which has another {read}"


def _opening_rows(
    table: SampleTable, index: Index, at: NDArray[np.int64], numbers: NDArray[np.int64], usable: NDArray[np.bool_]
) -> dict[str, list[Any]]:
    """The columns of the table that opening an array reads: one value for each of the arrays."""
    row = np.zeros(len(at), dtype=np.int64)
    rows = np.flatnonzero(usable)[::-1]
    row[numbers[rows]] = rows  # the last assignment holds: the first row of each array
    read = {name for code in np.unique(index.files["columns"].to_numpy()) for name in index.columns[code]}
    # Lists, not a frame: polars must not be used in a forked worker.
    return table.frame.select([name for name in table.columns if name in {"sample", "path", *read}])[row].to_dict(
        as_series=False
    )


def _distinct(causes: pl.Series, usable: NDArray[np.bool_]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    failed = causes.filter(pl.Series(~usable))
    texts = failed.unique().sort()
    codes = {text: code for code, text in enumerate(texts)}
    return narrow(np.array([codes[text] for text in failed], dtype=np.int64)), tuple(texts)


def _fingerprint(index: Index, at: NDArray[np.int64], usable: NDArray[np.bool_], parts: Parts | None) -> str:
    """SHA-256 of what the arrays were made from: ids, values that decoding read, source files, and regions."""
    digest, rows = hashlib.sha256(usable.tobytes()), at[usable]
    of_file = index.files.select(pl.col("size", "modified").fill_null(-1)).to_numpy()
    columns: list[Callable[[NDArray[np.int64]], NDArray[Any]]]
    columns = [lambda used: index.values("digest")[used], lambda used: of_file[index.values("file")[used]]]
    if index.rows["path"].null_count() < len(index):
        elsewhere = index.rows.select(pl.col("size", "modified").cast(pl.Int64).fill_null(-1)).to_numpy()
        columns.append(lambda used: elsewhere[used])
    for values in columns:
        for first in range(0, len(rows), _ROWS_AT_A_TIME):
            digest.update(values(rows[first : first + _ROWS_AT_A_TIME]).tobytes())
    for ends in () if parts is None else (parts.starts, parts.stops):
        for first in range(0, len(ends), _ROWS_AT_A_TIME):
            digest.update(ends[first : first + _ROWS_AT_A_TIME].tobytes())
    return digest.hexdigest()
