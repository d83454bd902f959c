"""The samples of a SEG-Y file as an array of inline, crossline and sample, of which any part is read in place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import mapped_file, normal_slices
from ssl_domains_seismic.geometry.grid import Grid
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.segy.ibm import decode_ibm

__all__ = ["SegyVolume"]


@dataclass(frozen=True)
class SegyVolume:
    """A `LazyArray` of the samples of a SEG-Y file, ``[inline, crossline, sample]``.

    Nothing is read before `read`, and then only the pages of the file with the requested samples. Holes and dead traces
    are 0 and not valid. A pickle holds the path and how the headers are read, not the table of traces: the process that
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
        rows, columns, samples = normal_slices(slices, self.shape)
        buffer = self._mapped()
        if self.grid.table is None:
            words = self._regular(buffer)[rows, columns, samples]
            holes = None
        else:
            table = self.grid.table[rows, columns]
            holes = table < 0
            words = self._traces(buffer)[:, samples][np.maximum(table, 0)]
        made = self._numbers(words)
        dead = None if self.grid.dead is None else self.grid.dead[rows, columns]
        missing = holes if dead is None else dead if holes is None else holes | dead
        if missing is None or not missing.any():
            return made, None
        made[missing] = 0
        return made, ~missing[:, :, None]

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self.path, self.size, self.modified, self.reading)

    def _mapped(self) -> NDArray[np.uint8]:
        try:
            status = os.stat(self.path)
            if (status.st_size, status.st_mtime_ns) != (self.size, self.modified):
                cause = f"the file {os.path.basename(self.path)!r} was changed since it was scanned"
                raise DataError(cause, "scan it again")
            return np.frombuffer(mapped_file(self.path), dtype=np.uint8)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise DataError(
                f"the file {os.path.basename(self.path)!r} can't be read: {why}", "is it still there?"
            ) from error

    def _traces(self, buffer: NDArray[np.uint8]) -> NDArray[Any]:
        """All traces as they lie in the file, ``[trace, sample]``."""
        count = (self.size - self.first - self.samples * self.stored.itemsize) // self.trace_bytes + 1
        strides = (self.trace_bytes, self.stored.itemsize)
        return np.ndarray((count, self.samples), self.stored, buffer, self.first, strides)

    def _regular(self, buffer: NDArray[np.uint8]) -> NDArray[Any]:
        """The grid of a file in regular order, ``[inline, crossline, sample]``; strides may be negative."""
        assert self.grid.regular is not None
        first, down, right = self.grid.regular
        traces = self._traces(buffer)
        strides = (down * self.trace_bytes, right * self.trace_bytes, self.stored.itemsize)
        return as_strided(traces[first:], self.shape, strides, writeable=False)

    def _numbers(self, words: NDArray[Any]) -> NDArray[np.generic]:
        """Words of the file as numbers in the machine's byte order, in an array of its own."""
        native = words.astype(self.stored.newbyteorder("="), order="C")
        return decode_ibm(native) if self.ibm else native.astype(self.dtype, copy=False)


def _reopened(path: str, size: int, modified: int, reading: Reading) -> SegyVolume:
    """Open a volume in the process that unpickles it."""
    # Imported when called: a survey holds volumes.
    from ssl_domains_seismic.survey import open_survey

    volume = open_survey(path, reading).volume
    if (volume.size, volume.modified) != (size, modified):
        raise DataError(f"the file {os.path.basename(path)!r} was changed since it was scanned", "scan it again")
    return volume
