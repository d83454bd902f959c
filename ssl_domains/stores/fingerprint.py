"""Fingerprints that decide whether a stored array is still current for a row of the table.

An array is current when three things are the same as when it was stored: the reader (class and ``version``), the
file (size and modification time) and the *row digest* (a hash of the path and of the values of the columns that
decoding read).

The reader may declare the columns that decoding reads (``columns``). If it doesn't, they are recorded while it reads
rows of the type `WatchedRow`. So a label that is joined later doesn't cause decoding again, but a changed slice number
does.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import Reader, SampleTable
from ssl_domains.stores.matching import matches

__all__ = ["WatchedRow", "declared_columns", "file_stat", "reader_name", "row_digests"]


class WatchedRow(Mapping[str, Any]):
    """A row of the table that records the keys that are read, in the set ``keys_read``; iterating reads all of them."""

    __slots__ = ("_keys_read", "_row")

    def __init__(self, row: Mapping[str, Any], keys_read: set[str]) -> None:
        self._row = row
        self._keys_read = keys_read

    def __getitem__(self, key: str) -> Any:
        self._keys_read.add(key)
        return self._row[key]

    def __contains__(self, key: object) -> bool:
        self._keys_read.add(str(key))
        return key in self._row

    def __iter__(self) -> Iterator[str]:
        self._keys_read.update(self._row)
        return iter(self._row)

    def __len__(self) -> int:
        return len(self._row)


def reader_name(reader: Reader) -> str:
    """Class and version of a reader, which together decide what its arrays are."""
    return f"{type(reader).__module__}.{type(reader).__qualname__} {reader.version}"


def declared_columns(reader: Reader) -> tuple[str, ...] | None:
    """The columns that the reader declares to decode from; None when it declares none."""
    columns = getattr(reader, "columns", None)
    return None if columns is None else tuple(sorted(str(name) for name in columns))


def file_stat(path: str) -> list[int] | None:
    """Size in bytes and modification time in ns; None when ``path`` is no file, as for a URL."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return [status.st_size, status.st_mtime_ns]


def row_digests(
    table: SampleTable, columns: Sequence[str], rows: NDArray[np.int64] | None = None
) -> NDArray[np.uint64]:
    """One digest for each row: a hash of its path and of its values in the given columns, uint64 ``[n]``.

    It is a function of the values alone: equal numbers of differing types give equal digests, and a column that is
    missing counts as null. It never depends on other rows, on the version of a library or on the machine.

    Args:
        table: The table.
        columns: Columns that decoding read; the order doesn't matter.
        rows: Positions of the rows; None for all.
    """
    digests = np.zeros(len(table) if rows is None else len(rows), dtype=np.uint64)
    for name in ["path", *sorted(set(columns) - {"path", "sample"})]:
        if name in table.columns:
            column = table.frame[name]
            values = _hashes(column if rows is None else column.gather(rows))
        else:
            values = np.full(len(digests), _NULL, dtype=np.uint64)
        digests = _mixed(digests ^ _mixed(values ^ np.uint64(_text_hash(name))))
    return digests


_NULL, _NAN, _NUMBER = (np.uint64(number) for number in (1, 2, 3))


def _hashes(column: pl.Series) -> NDArray[np.uint64]:
    """A hash of each value of a column, uint64 ``[n]``."""
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        column = column.cast(pl.Datetime("us")).to_physical()
    elif dtype.is_temporal() or dtype == pl.Boolean:
        column = column.to_physical().cast(pl.Int64)
    if column.dtype.is_integer() and column.dtype != pl.Int128:
        hashes = _mixed(column.fill_null(0).to_numpy().astype(np.uint64) ^ _NUMBER)
    elif column.dtype.is_float():
        hashes = _float_hashes(column.cast(pl.Float64).fill_null(0.0).to_numpy())
    else:
        return _text_hashes(column)
    return np.where(column.is_null().to_numpy(), _NULL, hashes) if column.null_count() else hashes


def _float_hashes(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Hashes of numbers; a whole number has the hash of the integer."""
    whole = np.isfinite(values) & (np.abs(values) < 2.0**62) & (values == np.trunc(values))
    integers = np.where(whole, values, 0.0).astype(np.int64).view(np.uint64)
    hashes = _mixed(np.where(whole, integers ^ _NUMBER, np.where(whole, 0.0, values).view(np.uint64)))
    return np.where(np.isnan(values), _NAN, hashes)


def _text_hashes(column: pl.Series) -> NDArray[np.uint64]:
    """Hashes of text, lists and other values, which are compared by their JSON text."""
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        column = column.cast(pl.String)
    if column.dtype != pl.String:
        texts = (None if value is None else json.dumps(value, default=str) for value in column.to_list())
        column = pl.Series(texts, dtype=pl.String)
    # Most columns repeat few values, such as paths of files with many samples: each is hashed once.
    distinct = column.unique().drop_nulls()
    hashes = np.full(len(distinct) + 1, _NULL, dtype=np.uint64)  # the last one is that of null
    hashes[:-1] = np.fromiter((_text_hash(text) for text in distinct), dtype=np.uint64, count=len(distinct))
    return hashes[matches(column, distinct)]


def _text_hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the bits of each number over all 64 (the finaliser of splitmix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
