"""Fingerprints that decide whether a stored array is still current for a row of the table.

An array is current when three things are the same as when it was stored: the reader (class and ``version``), the
file (size and modification time) and the *row digest* (sample id, path, and the values of the columns that decoding
read).

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

from ssl_domains.samples import Reader, SampleTable

__all__ = ["WatchedRow", "declared_columns", "file_stat", "reader_name", "row_digest", "row_digests"]


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


def row_digests(table: SampleTable, rows: Sequence[int] | np.ndarray[Any, Any], columns: Sequence[str]) -> list[str]:
    """One digest for each row, of sample, path and the given columns; missing columns count as null."""
    names = ["sample", "path", *(name for name in columns if name not in ("sample", "path"))]
    present = [name for name in names if name in table.columns]
    frame = table.frame.select(present)[np.asarray(rows, dtype=np.int64)]
    frame = frame.with_columns([pl.lit(None).alias(name) for name in names if name not in present]).select(names)
    return [_digest(row) for row in frame.iter_rows()]


def row_digest(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """The digest of one row given as a mapping; equal to that of `row_digests`."""
    names = ["sample", "path", *(name for name in columns if name not in ("sample", "path"))]
    return _digest([row.get(name) for name in names])


def _digest(values: Sequence[Any]) -> str:
    text = json.dumps(values, default=str, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=9).hexdigest()
