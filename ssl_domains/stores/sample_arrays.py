"""The arrays of a table by row: what views, evaluation and reports read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import normal_slices
from ssl_domains.stores.arrays import StoredArrays

__all__ = ["SampleArrays"]


@dataclass(frozen=True)
class SampleArrays:
    """The array of each row of a table, from `ArrayStore.of`: ``arrays[row]`` is the sample of that row.

    A sample is an array of the store, or a region of one. It is picklable and holds no object for each row; each
    process opens the files itself.

    Attributes:
        decoded: Which rows have an array, bool ``[n]``.
        fingerprint: Text that changes when an array of a row may have changed: its source file, what decoding read, or
            its region.
        positions: Position in the store of each row's array, int64 ``[n]``; −1 where there is none.
    """

    decoded: NDArray[np.bool_]
    fingerprint: str
    _arrays: StoredArrays
    _number: NDArray[Any]  # number of each row's array among `_arrays`; anything where there is none
    _position: NDArray[Any]  # position in the store of each of `_arrays`
    _parts: tuple[NDArray[Any], NDArray[Any]] | None  # starts and stops [n, rank] of regions; None without regions
    _causes: tuple[NDArray[Any], tuple[str, ...]]  # number of the cause of each row without array, distinct causes

    def __len__(self) -> int:
        return len(self.decoded)

    def __getitem__(self, row: int) -> NDArray[np.generic]:
        """The whole sample of a row, ``[H, W, C]`` or as the reader's axes say: native type and unit, read-only.

        Raises:
            IndexError: When there is no such row.
            DataError: When the row has no array, or its file is gone or has changed.
        """
        return self.read(row)[0]

    def read(self, row: int, slices: Sequence[slice] = ()) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        """A part of a sample; only the bytes of this part are read.

        Args:
            row: Row of the table.
            slices: Relative to the sample, one for each side; sides without one are taken whole. Steps are positive.

        Returns:
            The same numbers as ``arrays[row][slices]``, read-only; and where there is data: bool, of a shape that can
            be broadcast to the part, or None when all of it is data.

        Raises:
            IndexError: When there is no such row.
            DataError: When the row has no array, or its file is gone or has changed.
        """
        index = self._require(row)
        if not self.decoded[index]:
            raise DataError(f"row {row} has no array: {self._cause(index)}", "keep the rows where `decoded` is true")
        number = int(self._number[index])
        if not slices and self._parts is None:  # whole arrays are many and small: texts, short clips
            return self._arrays.read(number)
        slices = normal_slices(slices, self.shape(index))
        if self._parts is not None:
            first = self._parts[0][index].tolist()
            slices = tuple(
                slice(one.start + start, one.stop + start, one.step) for one, start in zip(slices, first, strict=True)
            )
        return self._arrays.read(number, slices)

    def read_together(
        self, rows: Sequence[int], parts: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None] | None:
        """Parts of several samples at once, where all parts have the same sides and type.

        Samples of one array are read in one go; with thousands of patches of a volume, this takes a fraction of the
        time of `read` for each.

        Args:
            rows: Rows of the table, at least one.
            parts: Part of each sample: first place, and place behind the last, int64 ``[n, rank]`` each; None for whole
                samples.

        Returns:
            ``[n, *sides]``, and where there is data: bool ``[n, *sides]``, or None when all of it is data. None when
            parts differ in their sides or types, or one doesn't lie inside its sample.

        Raises:
            IndexError: As `read`.
            DataError: As `read`.
        """
        index = np.asarray(rows, dtype=np.int64)
        if len(index) and (index.min() < 0 or index.max() >= len(self)):
            raise IndexError(f"rows {index.min()} to {index.max()} of a table of {len(self)} rows")
        shapes = self.shapes(index)
        starts, stops = (np.zeros_like(shapes), shapes) if parts is None else parts
        sides = tuple((stops[0] - starts[0]).tolist())
        if (stops - starts != sides).any() or (starts < 0).any() or (stops > shapes).any():
            return None
        numbers = self._number[index].astype(np.int64)
        dtypes = {self._arrays.dtypes[code].newbyteorder("=") for code in np.unique(self._arrays.dtype[numbers])}
        if len(dtypes) > 1 or not self.decoded[index].all():
            return None
        if self._parts is not None:
            starts = starts + self._parts[0][index]
        distinct, of = np.unique(numbers, return_inverse=True)
        if len(distinct) == 1:
            values, valid = self._arrays.read_boxes(int(distinct[0]), starts, sides)
            return values, None if valid is None else np.broadcast_to(valid, values.shape)
        values, masked = np.empty((len(index), *sides), dtypes.pop()), np.ones((0, *sides), dtype=np.bool_)
        for code, number in enumerate(distinct.tolist()):
            where = np.flatnonzero(of == code)
            values[where], valid = self._arrays.read_boxes(number, starts[where], sides)
            if valid is not None:
                masked = masked if len(masked) else np.ones(values.shape, dtype=np.bool_)
                masked[where] = valid
        return values, masked if len(masked) else None

    def shape(self, row: int) -> tuple[int, ...]:
        """The sides of a sample, such as height, width and channels, without reading it; zeros where there is none."""
        index = self._require(row)
        if self._parts is not None:
            first, last = (ends[index].tolist() for ends in self._parts)
            return tuple(int(stop) - int(start) for start, stop in zip(first, last, strict=True))
        if not self.decoded[index]:
            return (0,) * int(self._arrays.shapes.shape[1])
        return self._arrays.shape(int(self._number[index]))

    def shapes(self, rows: NDArray[Any] | Sequence[int] | None = None) -> NDArray[np.int64]:
        """The sides of samples, int64 ``[n, rank]``; zeros where there is none.

        Args:
            rows: Rows of the table; None for all.
        """
        chosen = slice(None) if rows is None else np.asarray(rows, dtype=np.int64)
        if self._parts is not None:
            starts, stops = (ends[chosen].astype(np.int64) for ends in self._parts)
            return stops - starts
        shapes = np.zeros((len(self._number[chosen]), self._arrays.shapes.shape[1]), dtype=np.int64)
        decoded = self.decoded[chosen]
        shapes[decoded] = self._arrays.shapes[self._number[chosen][decoded]]
        return shapes

    def dtypes(self) -> set[np.dtype[Any]]:
        """The set of dtypes of the samples."""
        used = self._arrays.dtype[np.unique(self._number[self.decoded])]
        return {self._arrays.dtypes[code].newbyteorder("=") for code in np.unique(used)}

    def row_dtypes(self) -> tuple[NDArray[np.int64], tuple[np.dtype[Any], ...]]:
        """The dtype of each row, as a code int64 ``[n]`` (−1 where there is no array), and the dtype of each code."""
        names = [dtype.newbyteorder("=") for dtype in self._arrays.dtypes]
        dtypes = tuple(dict.fromkeys(names))  # two byte orders are one type
        code_of = np.array([dtypes.index(name) for name in names], dtype=np.int64)
        codes = np.full(len(self), -1, dtype=np.int64)
        codes[self.decoded] = code_of[self._arrays.dtype[self._number[self.decoded]].astype(np.int64)]
        return codes, dtypes

    def channels(self) -> set[int]:
        """The set of lengths of the last side of the samples."""
        return {int(count) for count in np.unique(self.shapes()[self.decoded, -1])}

    @property
    def may_have_holes(self) -> bool:
        """Whether `read` may say that some places hold no data; it may when a reader opens the arrays."""
        return self._arrays.reader is not None

    def causes(self) -> list[str]:
        """Why rows have no array: one text for each such row, in the table's order."""
        numbers, texts = self._causes
        return [texts[number] for number in numbers]

    @property
    def positions(self) -> NDArray[np.int64]:
        """Position in the store of each row's array, int64 ``[n]``; −1 where there is none."""
        positions = np.full(len(self), -1, dtype=np.int64)
        positions[self.decoded] = self._position[self._number[self.decoded]]
        return positions

    @property
    def regions(self) -> bool:
        """Whether samples are regions of arrays, so that several may share one array."""
        return self._parts is not None

    def _require(self, row: int) -> int:
        """The row as a plain number; raises `IndexError` when there is no such row."""
        index = int(row)
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of a table of {len(self)} rows")
        return index

    def _cause(self, row: int) -> str:
        numbers, texts = self._causes
        return str(texts[numbers[int((~self.decoded[:row]).sum())]])
