"""Header words of all traces: read once, in chunks whose pages are given back, as columns of int32."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_seismic.segy.layout import HEADER, Layout

__all__ = ["WORDS", "TraceWords", "read_trace_words", "read_words_of"]

WORDS: Mapping[int, str] = {
    1: "i4", 5: "i4", 9: "i4", 13: "i4", 17: "i4", 21: "i4", 25: "i4", 29: "i2", 37: "i4", 71: "i2", 73: "i4",
    77: "i4", 109: "i2", 181: "i4", 185: "i4", 189: "i4", 193: "i4", 197: "i4", 215: "i2",
}  # fmt: skip
"""Words that are read: first byte in the trace header, counted from 1 → type."""
_CHUNK = 8 << 20  # bytes of the file that are mapped into memory at a time

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TraceWords:
    """Header words of the traces of a file.

    Attributes:
        columns: First byte of the word → int32 ``[traces]``; of a word that is the same in all traces, one value.
        traces: Number of traces.
    """

    columns: Mapping[int, NDArray[np.int32]]
    traces: int

    def __getitem__(self, byte: int) -> NDArray[np.int32]:
        """A word of all traces, int32 ``[traces]``."""
        column = self.columns[byte]
        return column if len(column) == self.traces else np.broadcast_to(column, (self.traces,))

    def varies(self, byte: int) -> bool:
        """Whether the word differs between traces."""
        return len(self.columns[byte]) > 1

    def value(self, byte: int) -> int:
        """The word of the first trace."""
        return int(self.columns[byte][0])

    def varying(self) -> list[int]:
        """The words that differ between traces."""
        return [byte for byte in self.columns if self.varies(byte)]


def read_trace_words(
    layout: Layout, allocate: Callable[[int], NDArray[np.int32]] | None = None, progress: Progress | None = None
) -> TraceWords:
    """Read the words of all trace headers.

    Args:
        layout: The file.
        allocate: Makes the column of a word that varies, int32 ``[traces]``, by its byte; None for memory.
        progress: Called with traces read and all traces.

    Raises:
        ReadError: When the file can't be read.
    """
    order, length, count = layout.header.order, layout.trace_bytes, layout.traces
    constant: dict[int, int] = {}
    made: dict[int, NDArray[np.int32]] = {}
    step = max(1, _CHUNK // length)
    try:
        with open(layout.path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            for start in range(0, count, step):
                many = min(step, count - start)
                at = layout.first + start * length
                view = np.ndarray((many, HEADER), np.uint8, mapped, at, (length, 1))
                heads = np.ascontiguousarray(view)
                del view  # the mapping can't be closed while an array refers to it
                for byte, kind in WORDS.items():
                    words = np.ndarray((many,), np.dtype(order + kind), heads, byte - 1, (HEADER,))
                    if byte not in made:
                        usual = constant.setdefault(byte, int(words[0]))
                        if (words == usual).all():
                            continue
                        made[byte] = np.empty(count, np.int32) if allocate is None else allocate(byte)
                        made[byte][:start] = usual
                    made[byte][start : start + many] = words
                _give_back(mapped, at, many * length)
                if progress is not None:
                    progress(start + many, count)
    except (OSError, ValueError) as error:
        raise ReadError(f"the trace headers can't be read: {error}") from error
    columns = {byte: made.get(byte, np.array([constant[byte]], dtype=np.int32)) for byte in WORDS}
    return TraceWords(columns, count)


def read_words_of(layout: Layout, traces: NDArray[np.int64]) -> dict[int, NDArray[np.int32]]:
    """Words of some traces, int32 ``[n]`` by byte.

    Raises:
        ReadError: When the file can't be read.
    """
    heads = np.empty((len(traces), HEADER), dtype=np.uint8)
    try:
        with open(layout.path, "rb") as file:
            for row, trace in enumerate(traces.tolist()):
                file.seek(layout.first + trace * layout.trace_bytes)
                heads[row] = np.frombuffer(file.read(HEADER), dtype=np.uint8)
    except (OSError, ValueError) as error:
        raise ReadError(f"the trace headers can't be read: {error}") from error
    order = layout.header.order
    return {
        byte: np.ndarray((len(traces),), np.dtype(order + kind), heads, byte - 1, (HEADER,)).astype(np.int32)
        for byte, kind in WORDS.items()
    }


def _give_back(mapped: mmap.mmap, start: int, length: int) -> None:
    """Tell the operating system that pages aren't needed any more, so that a large file doesn't fill the memory."""
    if hasattr(mmap, "MADV_DONTNEED"):
        first = start - start % mmap.PAGESIZE
        mapped.madvise(mmap.MADV_DONTNEED, first, min(start + length, len(mapped)) - first)
