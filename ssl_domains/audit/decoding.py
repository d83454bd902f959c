"""Decode the rows of a table for an audit: whole files, or the region of its array that each row is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples.reader import FileReader, OpenReader, Reader
from ssl_domains.samples.scanning.guard import Unreadable, read_guarded
from ssl_domains.samples.table import SampleTable
from ssl_domains.samples.tables.regions import array_ids, region_column
from ssl_domains.samples.tables.types import region_numbers

__all__ = ["Decode", "decoding"]

# Decodes rows of a table: (position in the table, its array, or None when it can't be decoded), in any order.
Decode = Callable[[SampleTable], Iterator[tuple[int, NDArray[np.generic] | None]]]
_ROWS_AT_A_TIME = 1024


def decoding(reader: Reader) -> Decode:
    """A `Decode` function that uses a reader; rows of one file are decoded together.

    Of a row that is a region of an array, the region is read: in its file where the reader opens it, else cut from the
    array, which is decoded once for neighbouring rows.
    """

    def decode(table: SampleTable) -> Iterator[tuple[int, NDArray[np.generic] | None]]:
        column = region_column(table)
        if column is not None:
            regions: list[list[int] | None] = region_numbers(column).to_list()
            yield from _regions(reader, table, regions)
            return
        for path, rows in _by_file(table):
            for start in range(0, len(rows), _ROWS_AT_A_TIME):
                part = rows[start : start + _ROWS_AT_A_TIME]
                yield from zip(part, _arrays(reader, path, table.frame[part].to_dicts()), strict=True)

    return decode


def _regions(
    reader: Reader, table: SampleTable, regions: Sequence[list[int] | None]
) -> Iterator[tuple[int, NDArray[np.generic] | None]]:
    """Each row's region of its array; the whole array of a row without one."""
    ids = array_ids(table).to_list()
    known: tuple[object, Any] | None = None  # (array, how to read a part of it)
    for path, rows in _by_file(table):
        for row in rows:
            values = table.frame.row(row, named=True)
            if known is None or known[0] != (path, ids[row]):
                opened = read_guarded(lambda values=values: _opened(reader, values), path)  # type: ignore[misc]
                known = (path, ids[row]), opened
            array = known[1]
            if isinstance(array, Unreadable):
                yield row, None
                continue
            part = read_guarded(lambda array=array, row=row: array(regions[row]), path)  # type: ignore[misc]
            yield row, None if isinstance(part, Unreadable) else part


def _opened(reader: Reader, row: Mapping[str, Any]) -> Callable[[list[int] | None], NDArray[np.generic]]:
    """A function that reads a region of the array of a row."""
    lazy = reader.open(row) if isinstance(reader, OpenReader) else None
    whole = np.asarray(reader.load(row)) if lazy is None else np.empty(0)
    shape = whole.shape if lazy is None else lazy.shape

    def read(region: list[int] | None) -> NDArray[np.generic]:
        ends = [end for side in shape for end in (0, side)]
        if region is not None:
            # A region of an array with channels may leave them out: it has all of them.
            channels = ends[-2:] if getattr(reader, "axes", "hwc").endswith("c") else []
            ends = [*region, *(channels if len(region) == len(ends) - 2 else [])]
        if len(ends) != 2 * len(shape):
            raise ValueError(f"the region has {len(ends)} numbers, an array of {len(shape)} sides needs two a side")
        slices = tuple(slice(start, stop) for start, stop in zip(ends[0::2], ends[1::2], strict=True))
        part: NDArray[np.generic] = whole[slices] if lazy is None else lazy.read(slices)[0]
        return part

    return read


def _by_file(table: SampleTable) -> Iterator[tuple[str, list[int]]]:
    files: dict[str, list[int]] = {}
    paths = table.frame["path"].to_list() if "path" in table.columns else [None] * len(table)
    for row, path in enumerate(paths):
        files.setdefault("" if path is None else str(path), []).append(row)
    yield from files.items()


def _arrays(reader: Reader, path: str, rows: Sequence[Mapping[str, Any]]) -> list[NDArray[np.generic] | None]:
    if isinstance(reader, FileReader) and path:
        file_reader = reader
        arrays = read_guarded(lambda: list(file_reader.load_file(path, rows)), path)
        if not isinstance(arrays, Unreadable):
            return [array if isinstance(array, np.ndarray) else None for array in arrays]
        if len(rows) == 1:
            return [None]
    # Row by row, so that one bad row does not lose the others of its file.
    return [_array(reader, row) for row in rows]


def _array(reader: Reader, row: Mapping[str, Any]) -> NDArray[np.generic] | None:
    """The array of a row; None, which is counted as unread, where it can't be decoded."""
    array = read_guarded(lambda: np.asarray(reader.load(row)))
    return None if isinstance(array, Unreadable) else array
