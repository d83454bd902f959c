"""The binary header of a SEG-Y file: byte order, sample format, interval, number of samples, revision."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ssl_domains.samples import ReadError
from ssl_domains_seismic.segy.sample_format import CODES

__all__ = ["START", "FileHeader", "read_file_header"]

START = 3600
"""Bytes of the text header and the binary header."""


@dataclass(frozen=True)
class FileHeader:
    """What the binary header says. Numbers in brackets are bytes of the file, counted from 1.

    Attributes:
        order: ``">"`` for big-endian, ``"<"`` for little-endian.
        format: Code of the sample format [3225].
        interval_us: Sample interval in µs [3217, or 3273 of revision 2]; None where it is 0.
        samples: Samples of a trace [3221, or 3269 of revision 2]; None where it is 0.
        sorting: Sorting code [3229].
        feet: Whether lengths are in feet [3255].
        revision: Major number of the revision [3501].
        extended_texts: Number of further text headers [3505]; −1 when an end mark says it.
        extensions: Trace headers of 240 bytes behind the first, of revision 2 [3507].
        first_trace: Place of the first trace in the file in bytes, of revision 2 [3521]; 0 where it isn't given.
        traces: Number of traces, of revision 2 [3513]; 0 where it isn't given.
    """

    order: str
    format: int
    interval_us: float | None
    samples: int | None
    sorting: int
    feet: bool
    revision: int
    extended_texts: int
    extensions: int
    first_trace: int
    traces: int

    @property
    def endian(self) -> str:
        """``"big"`` or ``"little"``."""
        return "big" if self.order == ">" else "little"


def read_file_header(head: bytes) -> FileHeader:
    """Read the binary header.

    The byte order is the one in which the format code is a code of the standard: codes are below 256, so it is one at
    most.

    Args:
        head: The first 3,600 bytes of the file.

    Raises:
        ReadError: When the file is too short, or no byte order gives a known format code.
    """
    if len(head) < START:
        raise ReadError(f"this is no SEG-Y file: it has {len(head)} bytes, the headers alone have {START}")
    orders = [order for order in "><" if struct.unpack_from(order + "h", head, 3224)[0] in CODES]
    if not orders:
        code = struct.unpack_from(">h", head, 3224)[0]
        raise ReadError(f"this is no SEG-Y file, or a damaged one: the format code at byte 3225 is {code}")
    order = orders[0]

    def word(byte: int, kind: str) -> int:
        return int(struct.unpack_from(order + kind, head, byte - 1)[0])

    revision = head[3500]
    if order == "<" and revision == 0 and head[3501]:
        revision = head[3501]  # revision 1 is the word 0x0100, which is written in the byte order of the file
    second = revision >= 2
    interval, samples = float(word(3217, "H")), word(3221, "H")
    if second:
        long_interval = float(struct.unpack_from(order + "d", head, 3272)[0])
        interval = long_interval if 0 < long_interval < 1e9 else interval
        samples = word(3269, "i") if word(3269, "i") > 0 else samples
    return FileHeader(
        order=order,
        format=word(3225, "h"),
        interval_us=interval or None,
        samples=samples or None,
        sorting=word(3229, "h"),
        feet=word(3255, "h") == 2,
        revision=revision,
        extended_texts=word(3505, "h"),
        extensions=max(0, word(3507, "i")) if second else 0,
        first_trace=word(3521, "Q") if second else 0,
        traces=word(3513, "Q") if second else 0,
    )
