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
from ssl_domains.samples import mapped_file, normal_slices
from ssl_domains_seismic.copies.bricks import PAGE
from ssl_domains_seismic.copies.copy_file import DepthCopy, open_copy
from ssl_domains_seismic.geometry.grid import Grid
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.segy.ibm import decode_ibm

__all__ = ["SegyVolume"]

_PIECE = 1 << 14  # words that are put together at a time, so that they stay in the processor's cache
_NARROW = 4  # samples of a trace up to which each is gathered from all traces by itself


@dataclass(frozen=True)
class SegyVolume:
    """A `LazyArray` of the samples of a SEG-Y file, ``[inline, crossline, sample]``.

    Nothing is read before `read`, and then only the pages of the file with the requested samples; where a depth-major
    copy has them on fewer pages, they are read from it. Holes and dead traces are 0 and not valid. A pickle holds the path and how the headers are read, not the table of traces: the process that
    unpickles it opens the file anew.

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

    @property
    def shape(self) -> tuple[int, int, int]:
        """Inlines, crosslines, samples."""
        return (*self.grid.shape, self.samples)

    def read(self, slices: Sequence[slice]) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        """Read a part, see `ssl_domains.samples.LazyArray.read`; validity is ``[inline, crossline, 1]``.

        Raises:
            DataError: When the file is gone, or was changed since its headers were read.
        """
        box = normal_slices(slices, self.shape)
        buffer = self._mapped()
        copy = None if self.reading.copy is None else self._copy_for(box)
        made = self._from_file(buffer, box) if copy is None else copy.read(box)
        missing = self._missing(*box[:2])
        if missing is None or not missing.any():
            return made, None
        made[missing] = 0
        return made, ~missing[:, :, None]

    def read_in_place(self, slices: Sequence[slice]) -> NDArray[np.generic]:
        """A part as `read` gives it, from the SEG-Y file itself; traces in holes hold anything.

        Raises:
            DataError: As `read` does.
        """
        return self._from_file(self._mapped(), normal_slices(slices, self.shape))

    @cached_property
    def copy(self) -> DepthCopy | None:
        """The depth-major copy that the reading names, where it is there and was made of this file as it is now."""
        if self.reading.copy is None:
            return None
        return open_copy(self.reading.copy, os.path.basename(self.path), self.shape, self.dtype, self.stamp(), self.voxel)

    def voxel(self, inline: int, crossline: int, sample: int) -> bytes:
        """The bytes of one number."""
        place = (slice(inline, inline + 1), slice(crossline, crossline + 1), slice(sample, sample + 1))
        made = self.read_in_place(place)
        missing = self._missing(*place[:2])
        return bytes(made.itemsize) if missing is not None and missing.any() else made.tobytes()

    def stamp(self) -> dict[str, Any]:
        """What a copy must have been made from: the file as it is now, read in this way, placed on this grid."""
        grid = hashlib.sha256(repr((self.grid.inline, self.grid.crossline, self.grid.regular)).encode())
        for table in (self.grid.table, self.grid.dead):
            grid.update(b"-" if table is None else np.ascontiguousarray(table).data)
        return {
            "size": self.size, "modified": self.modified, "first": self.first, "trace_bytes": self.trace_bytes,
            "stored": self.stored.str, "ibm": self.ibm, "grid": grid.hexdigest(),
        }  # fmt: skip

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self.path, self.size, self.modified, self.reading)

    def _copy_for(self, box: tuple[slice, ...]) -> DepthCopy | None:
        """The copy, where it has a part of the volume on fewer pages than the file; None otherwise."""
        if any(one.step != 1 for one in box) or self.copy is None:
            return None
        inlines, crosslines, samples = (one.stop - one.start for one in box)
        in_file = inlines * crosslines * (1 + samples * self.stored.itemsize // PAGE)
        return self.copy if self.copy.bricks.pages(box) < in_file else None

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

    def _missing(self, rows: slice, columns: slice) -> NDArray[np.bool_] | None:
        """Cells of a part that have no trace, or a dead one; None when the file has all cells and no dead trace."""
        holes = None if self.grid.table is None else self.grid.table[rows, columns] < 0
        dead = None if self.grid.dead is None else self.grid.dead[rows, columns]
        return holes if dead is None else dead if holes is None else holes | dead

    def _from_file(self, buffer: mmap.mmap, box: tuple[slice, ...]) -> NDArray[np.generic]:
        """A part in the machine's byte order, in an array of its own."""
        native = self.stored.newbyteorder("=")
        if self.grid.table is None:
            words = self._regular(buffer)[box].astype(native, order="C")
        else:
            words = self._gathered(self._traces(buffer)[:, box[2]], self.grid.table[box[:2]], native)
        if self.ibm:
            return decode_ibm(words, words.view(np.float32))
        return words.astype(self.dtype, copy=False)

    def _traces(self, buffer: mmap.mmap) -> NDArray[Any]:
        """All traces as they lie in the file, ``[trace, sample]``."""
        count = (self.size - self.first - self.samples * self.stored.itemsize) // self.trace_bytes + 1
        strides = (self.trace_bytes, self.stored.itemsize)
        return np.ndarray((count, self.samples), self.stored, buffer, self.first, strides)

    def _regular(self, buffer: mmap.mmap) -> NDArray[Any]:
        """The grid of a file in regular order, ``[inline, crossline, sample]``; strides may be negative."""
        assert self.grid.regular is not None
        first, down, right = self.grid.regular
        strides = (down * self.trace_bytes, right * self.trace_bytes, self.stored.itemsize)
        return np.ndarray(self.shape, self.stored, buffer, self.first + first * self.trace_bytes, strides)

    @staticmethod
    def _gathered(traces: NDArray[Any], table: NDArray[np.int64], native: np.dtype[Any]) -> NDArray[Any]:
        """Traces by their numbers, ``[inline, crossline, sample]``; that of a hole is any trace.

        Args:
            traces: Samples of all traces of the file.
            table: Trace of each cell; −1 in holes.
            native: Type of the words in the machine's byte order.
        """
        samples = traces.shape[1]
        words = np.empty((*table.shape, samples), native)
        cells = max(1, _PIECE // max(samples, 1))
        rows = max(1, cells // max(table.shape[1], 1))
        for row in range(0, len(table), rows):
            for column in range(0, table.shape[1], cells):
                part = slice(row, row + rows), slice(column, column + cells)
                chosen = np.maximum(table[part], 0)
                if samples > _NARROW:
                    words[part] = traces[chosen]
                    continue
                for sample in range(samples):
                    words[(*part, sample)] = traces[:, sample][chosen]
        return words


def _reopened(path: str, size: int, modified: int, reading: Reading) -> SegyVolume:
    """Open a volume in the process that unpickles it."""
    # Imported when called: a survey holds volumes.
    from ssl_domains_seismic.survey import open_survey

    volume = open_survey(path, reading).volume
    if (volume.size, volume.modified) != (size, modified):
        raise DataError(f"the file {os.path.basename(path)!r} was changed since it was scanned", "scan it again")
    return volume
