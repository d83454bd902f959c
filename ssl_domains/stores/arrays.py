"""Arrays of a store by number: copied ones from the data file, others in place. What worker processes read from."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import LazyArray, OpenReader, ReadError, Region, boxes_of, normal_slices, read_boxes
from ssl_domains.stores.files.entry import Place
from ssl_domains.stores.files.index import Index

__all__ = ["StoredArrays", "map_data", "narrow"]

MOST_OPEN = 64  # arrays of a reader that stay open in a process


def narrow(values: NDArray[Any]) -> NDArray[Any]:
    """The same whole numbers, none negative, in the smallest unsigned type that holds them."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))), copy=False)


@dataclass(frozen=True)
class InPlace:
    """Where arrays lie that are read in place, in columns.

    Attributes:
        paths: Paths of files, each once.
        path: Number of the path of each array, ``[n]``.
        strides: Distances in bytes, int64 ``[n, rank]``.
        size: Size of the file in bytes, int64 ``[n]``; −1 if it is not known.
    """

    paths: tuple[str, ...]
    path: NDArray[Any]
    strides: NDArray[np.int64]
    size: NDArray[np.int64]

    @classmethod
    def of(cls, index: Index, at: NDArray[np.int64]) -> InPlace:
        """Those of rows of an index."""
        rows = index.rows[at]
        files = index.files["path"].gather(rows["file"])
        paths = pl.DataFrame({"path": rows["path"].cast(pl.String).fill_null(files)}).with_columns(
            number=pl.col("path").rank("dense").cast(pl.UInt32) - 1
        )
        distinct = paths.unique("number").sort("number")["path"].to_list()
        strides = [rows[f"stride{k}"].fill_null(0).to_numpy() for k in range(index.rank)]
        sizes = rows["size"].fill_null(-1).to_numpy()
        return cls(tuple(distinct), narrow(paths["number"].to_numpy()), np.stack(strides, axis=1), sizes)


@dataclass
class StoredArrays:
    """Arrays by number, in columns, without an object for each array. Picklable; each process opens the files itself.

    Attributes:
        data: The data file.
        place: The `Place` of each array, uint8 ``[n]``.
        offset: First byte of each array, ``[n]``.
        dtype: Number of the dtype of each array, ``[n]``.
        dtypes: The dtypes, as in the files.
        shapes: Sides of each array, ``[n, rank]``, of the smallest unsigned type.
        in_place: Where arrays lie that are not copied; None when all are copied.
        reader: Opens arrays that lie in no `Region`; None when there are none.
        rows: Columns of the table that opening an array reads, one value for each array; empty without ``reader``.
    """

    data: Path
    place: NDArray[np.uint8]
    offset: NDArray[Any]
    dtype: NDArray[Any]
    dtypes: tuple[np.dtype[Any], ...]
    shapes: NDArray[Any]
    in_place: InPlace | None = None
    reader: OpenReader | None = None
    rows: dict[str, list[Any]] = field(default_factory=dict)
    _map: mmap.mmap | None = field(default=None, repr=False)
    _open: dict[int, LazyArray] = field(default_factory=dict, repr=False)
    _process: int = 0

    @classmethod
    def of(cls, data: Path, index: Index, at: NDArray[np.int64], mapped: mmap.mmap | None = None) -> StoredArrays:
        """The arrays of rows of an index; each of the rows must have one. ``mapped`` is the data file, if mapped."""
        place = index.places[at]
        made = cls(
            data,
            place,
            narrow(np.maximum(index.values("offset")[at], 0)),
            narrow(index.values("dtype")[at]),
            tuple(np.dtype(name) for name in index.dtypes),
            narrow(index.shapes[at]),
            InPlace.of(index, at) if (place == Place.REGION).any() else None,
        )
        if (place == Place.COPIED).any():
            # Mapped now, so that it can be read on when the store is filled anew.
            made._map = mapped or map_data(data)
        return made

    def __len__(self) -> int:
        return len(self.place)

    def shape(self, number: int) -> tuple[int, ...]:
        """Sides of an array."""
        return tuple(self.shapes[number].tolist())

    def read(self, number: int, slices: Sequence[slice] = ()) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        """A part of an array, read-only, in the machine's byte order, and where it has data; as `LazyArray.read`.

        Without slices it is the whole array.

        Raises:
            DataError: When the file that it is read from is gone or has changed.
        """
        place = int(self.place[number])
        if place == Place.REGION:
            return self._region(number).read(slices)
        shape = self.shape(number)
        if place == Place.COPIED:
            dtype, offset = self.dtypes[self.dtype[number]], int(self.offset[number])
            end = offset + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
            if self._map is None or end > len(self._map):
                self._map = map_data(self.data)
            whole: NDArray[np.generic] = np.ndarray(shape, dtype, buffer=self._map, offset=offset)
            return whole[tuple(normal_slices(slices, shape))], None
        slices = normal_slices(slices, shape)
        part, valid = self._opened(number).read(slices)
        wanted = tuple(len(range(one.start, one.stop, one.step)) for one in slices)
        return self._checked(number, part, wanted), valid

    def read_boxes(
        self, number: int, starts: NDArray[np.int64], sides: Sequence[int]
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        """Several parts of an array, ``[n, *sides]``, as `ssl_domains.samples.read_boxes` gives them.

        Raises:
            DataError: As `read` does.
        """
        place = int(self.place[number])
        valid: NDArray[np.bool_] | None = None
        if place == Place.COPIED:
            parts: NDArray[np.generic] = boxes_of(self.read(number)[0], starts, sides)
        elif place == Place.REGION:
            parts, valid = self._region(number).read_boxes(starts, sides)
        else:
            parts, valid = read_boxes(self._opened(number), starts, sides)
        return self._checked(number, parts, (len(starts), *sides)), valid

    def _checked(self, number: int, part: Any, wanted: tuple[int, ...]) -> NDArray[np.generic]:
        """What a reader's array gave; raises when it has another form than it said."""
        dtype, made = self.dtypes[self.dtype[number]].newbyteorder("="), np.asarray(part)
        if made.shape != wanted or made.dtype != dtype:
            cause = f"an array that is read in place gave {made.dtype} {list(made.shape)}, not {dtype} {list(wanted)}"
            raise DataError(cause, "`read(slices)` gives the same as whole[slices]; check_reader tries it")
        return made

    def _region(self, number: int) -> Region:
        assert self.in_place is not None
        one, size = self.in_place, int(self.in_place.size[number])
        return Region(
            one.paths[one.path[number]],
            self.dtypes[self.dtype[number]],
            int(self.offset[number]),
            self.shape(number),
            tuple(one.strides[number].tolist()),
            None if size < 0 else size,
        )

    def _opened(self, number: int) -> LazyArray:
        if self.reader is None:
            cause = "this array is opened by the reader from its row of the table"
            raise DataError(cause, "read it by row: store.of(table)[row]")
        if self._process != os.getpid():  # a forked process must not read from the files of its parent
            self._open, self._process = {}, os.getpid()
        lazy = self._open.pop(number, None)
        if lazy is None:
            row = {name: values[number] for name, values in self.rows.items()}
            try:
                lazy = self.reader.open(row)
            except Exception as error:  # code of a plugin
                why = str(error) if isinstance(error, ReadError) else f"{type(error).__name__}: {error}"
                cause = f"sample {row['sample']!r} can't be opened any more: {why}"
                raise DataError(cause, "run again: the store is filled from the files as they are now") from error
            if lazy is None or tuple(lazy.shape) != self.shape(number):
                cause = f"sample {row['sample']!r} is not what it was when the store was filled"
                raise DataError(cause, "run again: the store is filled from the files as they are now")
        self._open[number] = lazy  # at the end: the first is the one that was not used for the longest time
        if len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
        return lazy

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_map": None, "_open": {}, "_process": 0}


def map_data(path: Path) -> mmap.mmap:
    """The data file of a store, mapped into memory.

    Raises:
        DataError: When it is no longer there.
    """
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        cause = f"the arrays of the store {path.parent.name} are no longer there: it was filled anew"
        raise DataError(cause, "run again, with the store as it is now") from error
