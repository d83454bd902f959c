"""When a stored array is still the one a row of the table asks for.

An array is current when three things agree with what was written beside it: the reader (class and ``version``), the
file (size and modification time) and the *row digest* (sample id, path, and the values of the columns that decoding
read).

Which columns decoding reads is declared by the reader (``columns``), or else watched: the rows handed to the reader
note which of their keys are looked at. So a label joined later never refills the store, and a changed slice number or
box does.
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
    """A row of the table that adds every key looked at, there or not, to ``seen``; iterating looks at all of them."""

    __slots__ = ("_row", "_seen")

    def __init__(self, row: Mapping[str, Any], seen: set[str]) -> None:
        self._row = row
        self._seen = seen

    def __getitem__(self, key: str) -> Any:
        self._seen.add(key)
        return self._row[key]

    def __contains__(self, key: object) -> bool:
        self._seen.add(str(key))
        return key in self._row

    def __iter__(self) -> Iterator[str]:
        self._seen.update(self._row)
        return iter(self._row)

    def __len__(self) -> int:
        return len(self._row)


def reader_name(reader: Reader) -> str:
    """Class and version: another one decodes to other arrays."""
    return f"{type(reader).__module__}.{type(reader).__qualname__} {reader.version}"


def declared_columns(reader: Reader) -> tuple[str, ...] | None:
    """The columns the reader says it decodes from; None when it doesn't say."""
    columns = getattr(reader, "columns", None)
    return None if columns is None else tuple(sorted(str(name) for name in columns))


def file_stat(path: str) -> list[int] | None:
    """Size and modification time in ns; None when there is no such file (the reader may know how to open it anyway)."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns]


def row_digests(table: SampleTable, rows: Sequence[int] | np.ndarray[Any, Any], columns: Sequence[str]) -> list[str]:
    """One digest a row, over sample, path and the given columns; a column that the table lacks counts as null."""
    names = ["sample", "path", *(name for name in columns if name not in ("sample", "path"))]
    present = [name for name in names if name in table.columns]
    frame = table.frame.select(present)[np.asarray(rows, dtype=np.int64)]
    frame = frame.with_columns([pl.lit(None).alias(name) for name in names if name not in present]).select(names)
    return [_digest(row) for row in frame.iter_rows()]


def row_digest(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """The same for one row as a mapping."""
    names = ["sample", "path", *(name for name in columns if name not in ("sample", "path"))]
    return _digest([row.get(name) for name in names])


def _digest(values: Sequence[Any]) -> str:
    text = json.dumps(values, default=str, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=9).hexdigest()
