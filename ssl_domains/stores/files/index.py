"""Index of a store: one row for each array, in columns, so that a million rows open within a second.

It is written as two Parquet files when a filling ends: the arrays, and the source files that they were made from. Ids
are text of any length and most other columns repeat few values, which Parquet packs well and reads column by column;
the two files can be looked at with any tool for tables.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import Unreadable, read_guarded, write_whole
from ssl_domains.stores.files.entry import Line, Place
from ssl_domains.stores.files.source_paths import SourcePaths
from ssl_domains.stores.matching import matches

__all__ = ["Index", "IndexBuilder"]

_META_KEY = "ssl_domains.store"
_ROWS_AT_A_TIME = 1 << 16
_FILES = {"path": pl.String, "size": pl.Int64, "modified": pl.Int64, "columns": pl.UInt32}
_REGIONS = {"path": pl.String, "size": pl.Int64, "modified": pl.Int64}


@dataclass(frozen=True)
class Index:
    """The entries of a store, one for each array id.

    Attributes:
        rows: Columns ``array`` (id), ``file`` (row of ``files``), ``digest``, ``place`` (a `Place`), ``offset``,
            ``dtype`` (number of one of ``dtypes``), ``side0``, ``side1`` …, ``cause`` (null where there is an array);
            and for regions ``stride0`` …, ``path`` (null for the path of the file), ``size``, and ``modified`` in ns
            where ``path`` is not null, else null. A column of nulls alone has the type ``Null``, which takes no memory,
            and is not written.
        files: Columns ``path`` ``size`` in bytes and ``modified`` in ns (both null for what was no file), and
            ``columns`` (number of one of ``columns``). Paths are absolute here, and written as by `SourcePaths`.
        dtypes: Short names of the dtypes.
        columns: Sets of columns that decoding read.
        rank: Number of sides of the arrays.
    """

    rows: pl.DataFrame
    files: pl.DataFrame
    dtypes: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    rank: int

    @classmethod
    def empty(cls, rank: int) -> Index:
        """An index without a row."""
        return cls(pl.DataFrame(schema=_schema(rank)), pl.DataFrame(schema=_FILES), (), (), rank)

    @classmethod
    def read(cls, rows: Path, files: Path) -> Index:
        """The index that `write` wrote.

        Raises:
            FileNotFoundError: When a file is missing.
            ValueError: When a file is damaged.
        """
        for path in (rows, files):
            path.stat()  # a missing file is no damaged one
        read = read_guarded(lambda: cls._read(rows, files))
        if isinstance(read, Unreadable):
            raise ValueError(f"{rows.name} or {files.name} is damaged: {read.cause}")
        return read

    @classmethod
    def _read(cls, rows: Path, files: Path) -> Index:
        meta = json.loads(pl.read_parquet_metadata(files)[_META_KEY])
        found, read = pl.read_parquet(rows), pl.read_parquet(files)
        columns, schema = tuple(tuple(names) for names in meta["columns"]), _schema(meta["rank"])
        absent = [pl.lit(None).alias(name) for name in schema if name not in found.columns]
        types = pl.Schema({name: dtype for name, dtype in schema.items() if name in found.columns})
        table = found.cast(types).with_columns(absent).select(list(schema))
        read = read.cast(pl.Schema(_FILES)).select(list(_FILES))
        places = SourcePaths.of_store(files.parent)
        table, read = (frame.with_columns(path=places.read_all(frame["path"])) for frame in (table, read))
        made = cls(table, read, tuple(meta["dtypes"]), columns, meta["rank"])
        made._require_consistent()
        return made

    def _require_consistent(self) -> None:
        """Raise ValueError when a row lacks a value, or a number of it refers to nothing: a file, a dtype, a place."""
        sides = [f"side{k}" for k in range(self.rank)]
        for name in ("array", "file", "digest", "place", "offset", "dtype", *sides):
            if self.rows[name].null_count():
                raise ValueError(f"a row has no {name}")
        if len(self) and (self.places.max() > max(Place) or self.shapes.min(initial=0) < 0):
            raise ValueError("a row has a place or a side that there isn't")
        for name, most in (("file", len(self.files)), ("dtype", len(self.dtypes))):
            if len(self) and int(self.rows[name].max()) >= most:  # type: ignore[arg-type]
                raise ValueError(f"a row has no {name}")
        if len(self.files) and int(self.files["columns"].fill_null(len(self.columns)).max()) >= len(self.columns):  # type: ignore[arg-type]
            raise ValueError("a file has no columns")
        for name in self.dtypes:
            np.dtype(name)

    def write(self, rows: Path, files: Path) -> None:
        """Write both files.

        Raises:
            OSError: When the disk is full.
        """
        meta = json.dumps({"dtypes": self.dtypes, "columns": self.columns, "rank": self.rank})
        held, places = self.rows.select(pl.exclude(pl.Null)), SourcePaths.of_store(files.parent)
        if "path" in held.columns:
            held = held.with_columns(path=places.written_all(held["path"]))
        sources = self.files.with_columns(path=places.written_all(self.files["path"]))
        for path, frame, settings in ((rows, held, {}), (files, sources, {"metadata": {_META_KEY: meta}})):
            write_whole(path, functools.partial(_write, frame, settings))

    def __len__(self) -> int:
        return len(self.rows)

    def lookup(self, arrays: pl.Series) -> NDArray[np.int64]:
        """The row of each array id, int64 ``[n]``; −1 for one that is not there."""
        if arrays.equals(self.rows["array"], null_equal=False):
            return np.arange(len(self), dtype=np.int64)
        return matches(arrays, self.rows["array"])

    def values(self, name: str) -> NDArray[Any]:
        """A column of ``rows`` without nulls as an array ``[n]``."""
        return self.rows[name].to_numpy()

    @functools.cached_property
    def places(self) -> NDArray[np.uint8]:
        """The `Place` of each array, uint8 ``[n]``."""
        return self.values("place")

    @functools.cached_property
    def shapes(self) -> NDArray[np.int64]:
        """Sides of each array, int64 ``[n, rank]``; 0 where there is none."""
        return np.stack([self.values(f"side{k}") for k in range(self.rank)], axis=1, dtype=np.int64)

    @property
    def nbytes(self) -> NDArray[np.int64]:
        """Size of each copied array in the data file, in bytes without alignment, int64 ``[n]``; 0 for others."""
        sizes = np.array([np.dtype(name).itemsize for name in self.dtypes] or [0], dtype=np.int64)
        copied = self.places == Place.COPIED
        return np.where(copied, self.shapes.prod(axis=1) * sizes[self.values("dtype")], 0)

    def within(self, size: int) -> Index:
        """Without the copied arrays that end behind byte ``size`` of the data file: the file was cut short."""
        whole = (self.places != Place.COPIED) | (self.values("offset") + self.nbytes <= size)
        return self if bool(whole.all()) else replace(self, rows=self.rows.filter(whole))


def _write(frame: pl.DataFrame, settings: dict[str, Any], path: Path) -> None:
    frame.write_parquet(path, row_group_size=1 << 22, **settings)


def _schema(rank: int) -> dict[str, Any]:
    sides = {f"side{k}": pl.Int64 for k in range(rank)}
    strides = {f"stride{k}": pl.Int64 for k in range(rank)}
    first = {"array": pl.String, "file": pl.UInt32, "digest": pl.UInt64, "place": pl.UInt8, "offset": pl.Int64}
    return {**first, "dtype": pl.UInt16, **sides, **strides, **_REGIONS, "cause": pl.String}


class IndexBuilder:
    """Adds the lines of a journal to an index. The latest entry of an array holds.

    Args:
        index: The index that the journal continues.
    """

    def __init__(self, index: Index) -> None:
        self._index, self.rank = index, index.rank
        self._dtypes = {name: code for code, name in enumerate(index.dtypes)}
        self._columns = {names: code for code, names in enumerate(index.columns)}
        self._parts: list[pl.DataFrame] = []
        self._rows: list[tuple[Any, ...]] = []
        self._files: list[tuple[Any, ...]] = []
        self.lines = 0

    def add(self, line: Line) -> None:
        """Add the entries of a line."""
        self.lines += 1
        size, modified = line.stat or (None, None)
        columns = self._columns.setdefault(line.columns, len(self._columns))
        self._files.append((line.path, size, modified, columns))
        file = len(self._index.files) + len(self._files) - 1
        none = (0,) * self.rank
        for entry in line.entries:
            dtype = self._dtypes.setdefault(entry.dtype or "|u1", len(self._dtypes))
            region: tuple[Any, ...] = (*([None] * self.rank), None, None, None)
            if entry.place == Place.REGION:
                elsewhere: tuple[Any, ...] = (None, entry.size, None)
                if entry.path != line.path:
                    elsewhere = (entry.path, entry.size, None if entry.modified < 0 else entry.modified)
                region = (*(entry.strides or c_strides(entry)), *elsewhere)
            place = (entry.array, file, entry.digest, int(entry.place), entry.offset, dtype)
            self._rows.append((*place, *(entry.shape or none), *region, entry.cause or None))
        if len(self._rows) >= _ROWS_AT_A_TIME:
            self._flush()

    def _flush(self) -> None:
        self._parts.append(pl.DataFrame(self._rows, schema=_schema(self.rank), orient="row"))
        self._rows = []

    def build(self) -> Index:
        """The index with all lines added; files without an array are left out."""
        if not self._files:
            return self._index
        self._flush()
        new = pl.concat(self._parts).unique("array", keep="last", maintain_order=True)
        kept = self._index.rows
        if len(kept):
            kept = kept.cast(pl.Schema(_schema(self.rank))).join(new.select("array"), on="array", how="anti")
        rows = pl.concat([kept, new], rechunk=True) if len(kept) else new.rechunk()
        files = pl.concat([self._index.files, pl.DataFrame(self._files, schema=_FILES, orient="row")], rechunk=True)
        used, codes = np.unique(rows["file"].to_numpy(), return_inverse=True)
        rows = rows.with_columns(file=pl.Series(codes.astype(np.uint32)))
        self._parts, self._files = [], []
        empty = [name for name in rows.columns if rows[name].null_count() == len(rows)]
        rows = rows.with_columns(pl.lit(None).alias(name) for name in empty)
        self._index = Index(rows, files[used.astype(np.int64)], tuple(self._dtypes), tuple(self._columns), self.rank)
        return self._index


def c_strides(entry: Any) -> tuple[int, ...]:
    """Distances in bytes along the sides of an entry's array in C order."""
    strides = [np.dtype(entry.dtype).itemsize]
    for side in entry.shape[:0:-1]:
        strides.append(strides[-1] * side)
    return tuple(reversed(strides))
