"""The samples of a SEG-Y file as an array of inline, crossline and sample, of which any part is read in place."""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import boxes_of, mapped_file, normal_slices
from ssl_domains_seismic.copies.bricks import PAGE, Bricks, bricks_for
from ssl_domains_seismic.copies.copy_file import DepthCopy, open_copy
from ssl_domains_seismic.geometry.grid import Grid
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.segy.ibm import decode_ibm

__all__ = ["SegyVolume"]

_NARROW, _DENSE = 8, 1.25  # samples, and traces for each wanted one, up to which all traces between are read
_LARGE = 1 << 14  # bytes of a part whose traces are copied as items
_PIECE, _CELLS = 1 << 14, 1 << 13  # words and traces that are gathered at a time: few enough for the processor's cache


@dataclass(frozen=True)
class SegyVolume:
    """A `LazyArray` of the samples of a SEG-Y file, ``[inline, crossline, sample]``.

    Nothing is read before `read`, and then only the pages of the file with the requested samples; where a depth-major
    copy has them on fewer pages, they are read from it. Holes and dead traces are 0 and not valid. A pickle holds the
    path and how the headers are read, not the table of traces: the process that unpickles it opens the file anew.

    Attributes:
        path: The file.
        size: Its size in bytes when its headers were read; a file of another size is not read.
        modified: Its time of modification in ns, likewise.
        first: Place of the first sample of the first trace, bytes.
        trace_bytes: Bytes from one trace to the next.
        samples: Samples of a trace.
        stored: Type of the words in the file, with byte order; uint32 for IBM numbers.
        dtype: Type of the numbers that are read.
        ibm: Whether the words are IBM numbers.
        grid: The trace of each cell.
        reading: How the headers are read, to open the file again.
    """

    path: str
    size: int
    modified: int
    first: int
    trace_bytes: int
    samples: int
    stored: np.dtype[Any]
    dtype: np.dtype[Any]
    ibm: bool
    grid: Grid
    reading: Reading

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Inlines, crosslines, samples."""
        return (*self.grid.shape, self.samples)

    def read(self, slices: Sequence[slice]) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        """Read a part, see `ssl_domains.samples.LazyArray.read`; validity is ``[inline, crossline, 1]``.

        Raises:
            DataError: When the file is gone, or was changed since its headers were read.
        """
        return self._read(slices, self.reading.copy is not None)

    def read_from_file(self, slices: Sequence[slice]) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        """The same, from the SEG-Y file even where a copy has it.

        Raises:
            DataError: As `read` does.
        """
        return self._read(slices, False)

    def read_boxes(
        self, starts: NDArray[np.int64], sides: Sequence[int]
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        """Read several parts, see `ssl_domains.samples.read_boxes`; validity is ``[n, inline, crossline, 1]``.

        Raises:
            DataError: As `read` does.
        """
        buffer = self._mapped()
        made = (
            self._many_from_file(buffer, starts, sides)
            if self.reading.copy is None
            else self._many(buffer, starts, sides)
        )
        missing = self._missing_of(starts[:, :2], sides[:2])
        if missing is None or not missing.any():
            return made, None
        made[missing] = 0
        return made, ~missing[..., None]

    @property
    def copy(self) -> DepthCopy | None:
        """The depth-major copy that the reading names, where it is there and was made of this file as it is now."""
        path = self.reading.copy
        if path is None:
            return None
        try:
            status = os.stat(path)
        except OSError:
            return None
        state = status.st_ino, status.st_size, status.st_mtime_ns
        if self.__dict__.get("_copy", (None,))[0] != state:  # opened, or refused, once for each state of the file
            name = os.path.basename(self.path)
            opened = open_copy(path, name, self.shape, self.dtype, self.stamp(), self.voxel)
            self.__dict__["_copy"] = state, opened
        made: DepthCopy | None = self.__dict__["_copy"][1]
        return made

    def voxel(self, inline: int, crossline: int, sample: int) -> bytes:
        """The bytes of one number."""
        place = (slice(inline, inline + 1), slice(crossline, crossline + 1), slice(sample, sample + 1))
        return self.read_from_file(place)[0].tobytes()

    def stamp(self) -> dict[str, Any]:
        """What a copy must have been made from: the file as it is now, read in this way, placed on this grid."""
        grid = hashlib.sha256(repr((self.grid.inline, self.grid.crossline, self.grid.regular)).encode())
        for table in (self.grid.table, self.grid.dead):
            grid.update(b"-" if table is None else np.ascontiguousarray(table).data)
        return {
            "size": self.size, "modified": self.modified, "first": self.first, "trace_bytes": self.trace_bytes,
            "stored": self.stored.str, "ibm": self.ibm, "grid": grid.hexdigest(),
        }  # fmt: skip

    @cached_property
    def _native(self) -> np.dtype[Any]:
        """Type of the words in the machine's byte order."""
        return self.stored.newbyteorder("=")

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self.path, self.size, self.modified, self.reading)

    def _read(self, slices: Sequence[slice], copied: bool) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        box = normal_slices(slices, self.shape)
        buffer = self._mapped()
        copy = self._copy_for(box) if copied else None
        made = self._from_file(buffer, box) if copy is None else copy.read(box)
        missing = self._missing(*box[:2])
        if missing is None or not missing.any():
            return made, None
        if copy is None:
            made.reshape(missing.size, made.shape[2])[np.flatnonzero(missing)] = 0
        return made, ~missing[:, :, None]

    def _copy_for(self, box: tuple[slice, ...]) -> DepthCopy | None:
        """The copy, where it has a part of the volume on fewer pages than the file; None otherwise."""
        inlines, crosslines, samples = (one.stop - one.start for one in box)
        in_file = inlines * crosslines * (1 + samples * self.stored.itemsize // PAGE)
        if any(one.step != 1 for one in box) or self._bricks.pages(box) >= in_file:
            return None
        return self.copy

    @cached_property
    def _bricks(self) -> Bricks:
        """The order of a copy's numbers."""
        return bricks_for(self.shape, self.dtype)

    def _mapped(self) -> mmap.mmap:
        try:
            status = os.stat(self.path)
            if (status.st_size, status.st_mtime_ns) != (self.size, self.modified):
                cause = f"the file {os.path.basename(self.path)!r} was changed since it was scanned"
                raise DataError(cause, "scan it again")
            return mapped_file(self.path, status)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise DataError(
                f"the file {os.path.basename(self.path)!r} can't be read: {why}", "is it still there?"
            ) from error

    def _missing_of(self, starts: NDArray[np.int64], sides: Sequence[int]) -> NDArray[np.bool_] | None:
        """`_missing` of several parts, bool ``[n, inline, crossline]``."""
        table, dead = self.grid.table, self.grid.dead
        holes = None if table is None else boxes_of(table, starts, sides) < 0
        of_dead = None if dead is None else boxes_of(dead, starts, sides)
        return holes if of_dead is None else of_dead if holes is None else holes | of_dead

    def _missing(self, rows: slice, columns: slice) -> NDArray[np.bool_] | None:
        """Cells of a part that have no trace, or a dead one; None when the file has all cells and no dead trace."""
        if self.grid.table is None and self.grid.dead is None:
            return None
        holes = None if self.grid.table is None else self.grid.table[rows, columns] < 0
        dead = None if self.grid.dead is None else self.grid.dead[rows, columns]
        return holes if dead is None else dead if holes is None else holes | dead

    def _from_file(self, buffer: mmap.mmap, box: tuple[slice, ...]) -> NDArray[np.generic]:
        """A part in the machine's byte order, in an array of its own."""
        if self.grid.table is None:
            words = self._copied(self._regular(buffer)[box])
        else:
            words = self._gathered(buffer, self.grid.table[box[:2]], box[2])
        return decode_ibm(words, words.view(np.float32)) if self.ibm else words

    def _many(self, buffer: mmap.mmap, starts: NDArray[np.int64], sides: Sequence[int]) -> NDArray[np.generic]:
        """Several parts, each from the copy where that has it on fewer pages than the file."""
        boxes = [
            tuple(slice(at, at + side, 1) for at, side in zip(start, sides, strict=True)) for start in starts.tolist()
        ]
        copies = [self._copy_for(box) for box in boxes]
        made = np.empty((len(starts), *sides), self.dtype)
        rest = np.array([copy is None for copy in copies])
        made[rest] = self._many_from_file(buffer, starts[rest], sides)
        for place, (copy, box) in enumerate(zip(copies, boxes, strict=True)):
            if copy is not None:
                made[place] = copy.read(box)
        return made

    def _many_from_file(
        self, buffer: mmap.mmap, starts: NDArray[np.int64], sides: Sequence[int]
    ) -> NDArray[np.generic]:
        """Several parts in the machine's byte order, ``[n, *sides]``."""
        if self.grid.table is None:
            words = boxes_of(self._regular(buffer), starts, sides).astype(self._native, copy=False)
        else:
            traces = boxes_of(self.grid.table, starts[:, :2], sides[:2])
            words = np.empty((len(starts), *sides), self._native)
            for first in np.unique(starts[:, 2]).tolist():
                rows = np.flatnonzero(starts[:, 2] == first)
                part = self._gathered(buffer, traces[rows].reshape(-1, sides[1]), slice(first, first + sides[2], 1))
                words[rows] = part.reshape(len(rows), *sides)
        return decode_ibm(words, words.view(np.float32)) if self.ibm else words

    def _copied(self, part: NDArray[Any]) -> NDArray[Any]:
        """A part of the file in the machine's byte order, in an array of its own."""
        if not self.stored.isnative or part.nbytes < _LARGE or part.strides[2] != part.itemsize:
            return part.astype(self._native, order="C")
        # Nothing is to be turned: the numbers of a trace are copied as one item, which takes half of the time.
        made = np.empty(part.shape, self._native)
        item = np.dtype((np.void, part.shape[2] * part.itemsize))
        made.view(item)[...] = part.view(item)
        return made

    def _regular(self, buffer: mmap.mmap) -> NDArray[Any]:
        """The grid of a file in regular order, ``[inline, crossline, sample]``; strides may be negative."""
        of, made = self.__dict__.get("_array", (None, None))
        if of is not buffer:
            assert self.grid.regular is not None
            first, down, right = self.grid.regular
            strides = (down * self.trace_bytes, right * self.trace_bytes, self.stored.itemsize)
            made = np.ndarray(self.shape, self.stored, buffer, self.first + first * self.trace_bytes, strides)
            self.__dict__["_array"] = buffer, made
        whole: NDArray[Any] = made
        return whole

    def _gathered(self, buffer: mmap.mmap, table: NDArray[np.int64], samples: slice) -> NDArray[Any]:
        """Traces by their numbers, ``[inline, crossline, sample]``; that of a hole is any trace.

        Args:
            buffer: The file.
            table: Trace of each cell; −1 in holes.
            samples: Part of each trace.
        """
        width = samples.stop - samples.start
        words = np.empty((*table.shape, width), self._native)
        if not words.size:
            return words[:, :, :: samples.step]
        start = self.first + samples.start * self.stored.itemsize
        if width <= _NARROW:
            chosen = np.maximum(table, 0)
            low, high = int(chosen.min()), int(chosen.max()) + 1
            if high - low <= _DENSE * chosen.size:  # such as a whole slice: all traces in the order of the file
                steps = self.trace_bytes, self.stored.itemsize
                part = np.ndarray((high - low, width), self.stored, buffer, start + low * steps[0], steps)
                words = part.astype(self._native).take(chosen - low, axis=0)
                return words if samples.step == 1 else np.ascontiguousarray(words[:, :, :: samples.step])
        # One item is the whole part of a trace, whose bytes numpy copies at once.
        item, count = width * self.stored.itemsize, 1 + (self.size - self._end) // self.trace_bytes
        items = np.ndarray((count,), np.dtype((np.void, item)), buffer, start, (self.trace_bytes,))
        target, columns = words.reshape(-1, width), table.shape[1]
        cells, rows = max(1, _PIECE // width), max(1, _CELLS // columns)
        for row in range(0, len(table), rows):
            chosen = np.maximum(table[row : row + rows], 0).reshape(-1)
            for start in range(0, len(chosen), cells):
                found = items[chosen[start : start + cells]].view(self.stored).reshape(-1, width)
                at = row * columns + start
                target[at : at + len(found)] = found
        return words if samples.step == 1 else np.ascontiguousarray(words[:, :, :: samples.step])

    @cached_property
    def _end(self) -> int:
        """Place behind the last sample of the first trace, bytes."""
        return self.first + self.samples * self.stored.itemsize


def _reopened(path: str, size: int, modified: int, reading: Reading) -> SegyVolume:
    """Open a volume in the process that unpickles it."""
    # Imported when called: a survey holds volumes.
    from ssl_domains_seismic.survey import open_survey

    volume = open_survey(path, reading).volume
    if (volume.size, volume.modified) != (size, modified):
        raise DataError(f"the file {os.path.basename(path)!r} was changed since it was scanned", "scan it again")
    return volume
