"""Writing predicted traces as SEG-Y with the headers of the file that was predicted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.samples import ReadError, write_whole
from ssl_domains_seismic.predictions.text_line import TEXT_BYTES, with_line

__all__ = ["FORMATS", "SegyLayout", "WrittenSegy", "write_segy"]

FORMATS = {5: "f4", 2: "i4", 3: "i2", 8: "i1", 16: "u1"}
"""Sample format codes that can be written → their type; 5 (IEEE float32) holds every prediction."""

_FORMAT_WORD = 3225 - 1  # place of the sample format code in the file
_PIECE_BYTES = 1 << 22  # of traces that are put together at a time


@dataclass(frozen=True)
class SegyLayout:
    """Where the traces of a SEG-Y file lie.

    Attributes:
        first_trace: Bytes before the header of the first trace: 3,600, and more with extended text headers.
        traces: Number of whole traces.
        samples: Samples of each trace.
        sample_bytes: Bytes of a sample.
        trace_header: Bytes of the header of a trace: 240, and more with extensions of revision 2.
        byte_order: ``">"`` for big-endian, ``"<"`` for little-endian.
        text_encoding: ``"cp037"`` (EBCDIC) or ``"ascii"``.
    """

    first_trace: int
    traces: int
    samples: int
    sample_bytes: int
    trace_header: int = 240
    byte_order: str = ">"
    text_encoding: str = "cp037"

    @property
    def trace_bytes(self) -> int:
        """Bytes from the header of a trace to that of the next one."""
        return self.trace_header + self.samples * self.sample_bytes


@dataclass(frozen=True)
class WrittenSegy:
    """What was written.

    Attributes:
        traces: Number of traces.
        text_line: Number of the line that the text header got, from 1; None when it has no blank line.
    """

    traces: int
    text_line: int | None


def write_segy(
    path: Path, source: Path, layout: SegyLayout, blocks: Iterable[NDArray[np.generic]], line: str, code: int = 5
) -> WrittenSegy:
    """Write predicted traces into a copy of a SEG-Y file.

    Kept are the trace headers byte by byte, the order and number of the traces, the byte order, the binary header but
    for its sample format code, extended text headers, and the text header but for ``line``, which stands in its first
    blank line. What follows the last whole trace of the source is left out. The file gets its name when it is complete.
    Memory holds one block and 4 MB.

    Args:
        path: The file to write; its folder exists.
        source: The file that was predicted.
        layout: Where its traces lie.
        blocks: Predicted traces in the order of the source, each ``[traces, samples]``; together all traces.
        line: Added to the text header; about 76 characters fit.
        code: Sample format, one of `FORMATS`. Values must be whole and within its range, except for 5.

    Raises:
        UsageError: When ``path`` is the source, or the format is not known.
        ReadError: When the source is shorter than the layout says.
        ValueError: When the blocks do not have the shape of the source, or values do not fit into the format.
        OSError: As the system raises it; the old file at ``path``, if any, is unchanged after any error.
    """
    if code not in FORMATS:
        raise UsageError(f"sample format {code} can't be written", f"one of {', '.join(map(str, sorted(FORMATS)))}")
    if path.exists() and os.path.samefile(path, source):
        raise UsageError(f"{path} is the survey itself: predictions would replace it", "choose another file")
    need = layout.first_trace + layout.traces * layout.trace_bytes
    size = source.stat().st_size
    if size < need:
        raise ReadError(f"{source.name} has {size:,} bytes and was read with {need:,}: scan it again")
    text_lines: list[int | None] = []

    def write(part: Path) -> None:
        with open(source, "rb", buffering=0) as survey, open(part, "wb") as file:
            head, text_line = _head(survey.read(layout.first_trace), layout, line, code)
            text_lines.append(text_line)
            file.write(head)
            written = 0
            for block in _checked(blocks, layout):
                _write_traces(file, survey, layout, written, block, np.dtype(layout.byte_order + FORMATS[code]))
                written += len(block)
            if written != layout.traces:
                raise ValueError(f"{written:,} traces were predicted of {layout.traces:,} in the survey")

    write_whole(path, write)
    return WrittenSegy(layout.traces, text_lines[-1])


def _head(head: bytes, layout: SegyLayout, line: str, code: int) -> tuple[bytes, int | None]:
    """The bytes before the first trace: the text header with a line more, and the code of the new format."""
    text, text_line = with_line(head[:TEXT_BYTES], line, layout.text_encoding)
    word = code.to_bytes(2, "big" if layout.byte_order == ">" else "little")
    return text + head[TEXT_BYTES:_FORMAT_WORD] + word + head[_FORMAT_WORD + 2 :], text_line


def _checked(blocks: Iterable[NDArray[np.generic]], layout: SegyLayout) -> Iterator[NDArray[np.generic]]:
    """The blocks as long as they have the samples of the source and no more traces than it."""
    seen = 0
    for block in blocks:
        if block.ndim != 2 or block.shape[1] != layout.samples:
            raise ValueError(f"predicted traces have the shape {block.shape}, the survey has {layout.samples} samples")
        seen += len(block)
        if seen > layout.traces:
            raise ValueError(f"more traces were predicted than the {layout.traces:,} of the survey")
        yield block


def _write_traces(
    file: BinaryIO,
    survey: FileIO,
    layout: SegyLayout,
    first: int,
    block: NDArray[np.generic],
    kind: np.dtype[np.generic],
) -> None:
    """Write a block of traces behind headers of the source, some megabytes at a time."""
    record = np.dtype([("header", "u1", (layout.trace_header,)), ("samples", kind, (layout.samples,))])
    piece = max(_PIECE_BYTES // record.itemsize, 1)
    for start in range(0, len(block), piece):
        part = block[start : start + piece]
        traces = np.empty(len(part), dtype=record)
        headers = np.empty((len(part), layout.trace_header), dtype=np.uint8)
        for row in range(len(part)):
            survey.seek(layout.first_trace + (first + start + row) * layout.trace_bytes)
            if survey.readinto(memoryview(headers[row])) != layout.trace_header:
                raise ReadError(f"the survey ends at trace {first + start + row + 1:,}: it has changed, scan it again")
        traces["header"] = headers
        traces["samples"] = _fitting(part, kind)
        file.write(traces.data)


def _fitting(values: NDArray[np.generic], kind: np.dtype[np.generic]) -> NDArray[np.generic]:
    """Values in a type; those of whole numbers must keep their value."""
    if kind.kind == "f":
        return values.astype(kind)
    with np.errstate(invalid="ignore"):
        stored = values.astype(kind)
    if not np.array_equal(stored, values):
        raise ValueError(f"predicted values don't fit into samples of the type {kind.name}")
    return stored
