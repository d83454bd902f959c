"""Where the traces of a SEG-Y file lie: first byte, length, number, and the samples of a trace."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ssl_domains.samples import ReadError
from ssl_domains_seismic.segy.file_header import START, FileHeader, read_file_header
from ssl_domains_seismic.segy.sample_format import SampleFormat, sample_format
from ssl_domains_seismic.segy.text_header import LENGTH, TextHeader, is_text, read_text_header

__all__ = ["HEADER", "Layout", "read_layout"]

HEADER = 240
"""Bytes of a trace header."""
_MOST_TEXTS = 1000
_END_MARKS = ("((SEG: ENDTEXT))", "((SEG:ENDTEXT))")


@dataclass(frozen=True)
class Layout:
    """Where the traces of a file lie.

    Attributes:
        path: The file.
        size: Its size in bytes.
        modified: Its time of modification in ns.
        header: The binary header.
        text: The text header.
        extended: Further text headers.
        format: Sample format by the header.
        first: Place of the first trace header in bytes, from 0.
        samples: Samples of a trace.
        interval_us: Sample interval in µs; None when no header says it.
        traces: Number of whole traces.
        notes: What is unusual, in sentences.
        truncated: The sentence for a file that ends before its traces do, with the traces that are there and those that
            should be; None for a whole file.
    """

    path: str
    size: int
    modified: int
    header: FileHeader
    text: TextHeader
    extended: TextHeader | None
    format: SampleFormat
    first: int
    samples: int
    interval_us: float | None
    traces: int
    notes: tuple[str, ...]
    truncated: str | None = None

    @property
    def head(self) -> int:
        """Bytes of the headers of a trace: 240, and more with extensions of revision 2."""
        return HEADER * (1 + self.header.extensions)

    @property
    def trace_bytes(self) -> int:
        """Bytes of a trace with its headers."""
        return self.head + self.samples * self.format.bytes

    @property
    def words(self) -> np.dtype[np.generic]:
        """Type of the samples in the file, with byte order."""
        return np.dtype(self.header.order + self.format.stored)


def read_layout(path: str | Path) -> Layout:
    """Read the headers of a file, without its traces.

    The number of samples is the one that fits the file's size: that of the binary header, else that of the first trace.

    Raises:
        ReadError: When the file is no SEG-Y file, has a format that isn't read, or no whole trace.
    """
    try:
        status = os.stat(path)
        with open(path, "rb") as file:
            head = file.read(START)
            header = read_file_header(head)
            kind = sample_format(header.format)
            first, extended = _first_trace(file, header, status.st_size)
            file.seek(first)
            trace = file.read(HEADER)
    except OSError as error:
        raise ReadError(f"the file can't be read: {error.strerror or error}") from error
    if len(trace) < HEADER:
        raise ReadError(f"the file ends after its headers: it has {status.st_size} bytes and no whole trace")
    notes: list[str] = []
    samples = _samples(header, trace, kind, status.st_size - first, notes)
    length = HEADER * (1 + header.extensions) + samples * kind.bytes
    traces, rest = divmod(status.st_size - first, length)
    truncated = None
    if header.traces and (header.traces < traces or (header.traces == traces and rest)):
        notes.append(f"the header says {header.traces:,} traces; what follows them is not read")
        traces, rest = header.traces, 0
    elif traces and (rest or header.traces > traces):
        truncated = _truncated(traces, rest, length, header.traces)
    if not traces:
        raise ReadError(f"the file has no whole trace: {rest:,} bytes after the headers, a trace has {length:,}")
    interval = header.interval_us or float(struct.unpack_from(header.order + "H", trace, 116)[0]) or None
    of_trace = struct.unpack_from(header.order + "H", trace, 116)[0]
    if interval is None:
        notes.append("no header says the sample interval (words 3217 and 117 are 0): there are no times")
    elif header.revision < 2 and of_trace not in (0, interval):
        notes.append(
            f"the binary header says an interval of {interval:g} µs, the first trace {of_trace}: the first is used"
        )
    return Layout(
        path=str(path), size=status.st_size, modified=status.st_mtime_ns, header=header,
        text=read_text_header(head[:LENGTH]),
        extended=extended, format=kind, first=first, samples=samples, interval_us=interval, traces=int(traces),
        notes=tuple(notes), truncated=truncated,
    )  # fmt: skip


def _truncated(traces: int, rest: int, length: int, said: int) -> str:
    """The sentence for a truncated file: whole traces, bytes of the last one, and the number that the header says."""
    of = f"{said:,} by the header" if said else f"at least {traces + 1:,}"
    left = f"; {rest:,} of the {length:,} bytes of the next are there and left out" if rest else ""
    return f"truncated: {traces:,} whole traces of {of}{left}"


def _first_trace(file: object, header: FileHeader, size: int) -> tuple[int, TextHeader | None]:
    """Place of the first trace, and the further text headers before it."""
    assert hasattr(file, "seek")
    assert hasattr(file, "read")
    count = header.extended_texts
    if count == 0 and not header.first_trace:
        return START, None
    blocks: list[bytes] = []
    most = _MOST_TEXTS if count < 0 else min(count, _MOST_TEXTS)
    file.seek(START)
    while len(blocks) < most:
        block = file.read(LENGTH)
        if len(block) < LENGTH:
            raise ReadError(f"the header says {count} further text headers, and the file ends within them")
        if count > 0 and not is_text(block):
            return START, None  # a number in a place that old files don't define
        blocks.append(block)
        if count < 0 and any(mark in line.upper() for line in read_text_header(block).lines for mark in _END_MARKS):
            break
    if count < 0 and len(blocks) == most:
        raise ReadError("the header says that further text headers follow, and no end mark ((SEG: EndText)) was found")
    text = read_text_header(b"".join(blocks)) if blocks else None
    first = header.first_trace or START + LENGTH * len(blocks)
    if not START <= first < size:
        raise ReadError(f"the header says that the first trace is at byte {first}, the file has {size}")
    return first, text


def _samples(header: FileHeader, trace: bytes, kind: SampleFormat, size: int, notes: list[str]) -> int:
    """Samples of a trace: the first number given by a header with which the traces fill the file."""
    of_trace = struct.unpack_from(header.order + "H", trace, 114)[0]
    given = [("the binary header", header.samples), ("the first trace header", of_trace)]
    known = [(who, int(count)) for who, count in given if count]
    if not known:
        raise ReadError("no header says how many samples a trace has (words 3221 and 115 are 0)")
    head = HEADER * (1 + header.extensions)
    fitting = [one for one in known if size % (head + one[1] * kind.bytes) == 0]
    who, chosen = (fitting or known)[0]
    for other, count in known:
        if count != chosen:
            why = "fits the size of the file" if fitting else "is used"
            notes.append(f"{who} says {chosen:,} samples a trace, {other} {count:,}: the first {why}")
    return chosen
