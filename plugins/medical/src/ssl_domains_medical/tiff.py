"""The pages of a TIFF file, from its directories; no pixel is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ssl_domains.samples import ReadError

__all__ = ["TiffPage", "tiff_pages"]

_SIZES = {1: 1, 3: 2, 4: 4, 16: 8}
_CODES = {1: "B", 3: "H", 4: "I", 16: "Q"}
_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION, _SAMPLES, _PLANAR, _FORMAT = 256, 257, 258, 262, 274, 277, 284, 339
_PARTS = ((273, 279), (324, 325))  # places and sizes of strips, and of tiles
_READ = (_WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _ORIENTATION, _SAMPLES, _PLANAR, _FORMAT)
_ON_ITS_SIDE = (5, 6, 7, 8)
_MOST_PAGES = 100_000
_MOST_VALUES = {tag: 1 << 20 for parts in _PARTS for tag in parts} | dict.fromkeys(_READ, 64)


@dataclass(frozen=True)
class TiffPage:
    """What a directory states.

    Attributes:
        width: Pixels of a row, as the page is to be shown.
        height: Rows, as the page is to be shown.
        bits: Bits of a sample, the most of all samples.
        samples: Samples of a pixel.
        format: 1 for unsigned, 2 for signed whole numbers, 3 for floating point.
        photometric: 0 and 1 for grey, 2 for RGB, 3 for a palette, 5 for CMYK, 6 for YCbCr.
        apart: Whether the samples are stored as planes, one after the other.
        end: Byte behind the last strip or tile.
    """

    width: int
    height: int
    bits: int
    samples: int
    format: int
    photometric: int
    apart: bool
    end: int


def tiff_pages(path: Path) -> list[TiffPage]:
    """The pages of a file, TIFF or BigTIFF.

    Raises:
        ReadError: When it is no TIFF file, or a directory is cut off or points back to another.
    """
    with path.open("rb") as file:
        try:
            return _pages(file)
        except (struct.error, OverflowError, OSError, ValueError) as error:
            raise ReadError("no TIFF file, or a directory of it is damaged or cut off") from error


def _pages(file: BinaryIO) -> list[TiffPage]:
    order = {b"II": "<", b"MM": ">"}.get(file.read(2))
    if order is None:
        raise ReadError("no TIFF file: its first bytes are of another kind")
    big = struct.unpack(f"{order}H", file.read(2))[0] == 43
    if big:
        file.seek(8)
    start = struct.unpack(order + ("Q" if big else "I"), file.read(8 if big else 4))[0]
    pages: list[TiffPage] = []
    visited = set()
    while start:
        if start in visited or len(pages) >= _MOST_PAGES:
            raise ReadError("its directories point back to one another, or are too many")
        visited.add(start)
        file.seek(start)
        tags, start = _directory(file, order, big)
        samples = (tags.get(_SAMPLES) or [1])[0]
        width, height = (tags[tag][0] if tags.get(tag) else 0 for tag in (_WIDTH, _HEIGHT))
        if (tags.get(_ORIENTATION) or [1])[0] in _ON_ITS_SIDE:  # decoders turn such a page
            width, height = height, width
        pages.append(
            TiffPage(
                width=width,
                height=height,
                bits=max(tags.get(_BITS) or [1]),
                samples=samples,
                format=(tags.get(_FORMAT) or [1])[0],
                photometric=(tags.get(_PHOTOMETRIC) or [1])[0],
                apart=samples > 1 and (tags.get(_PLANAR) or [1])[0] == 2,
                end=_end(tags),
            )
        )
    if not pages:
        raise ReadError("a TIFF file without a page")
    return pages


def _end(tags: dict[int, list[int]]) -> int:
    ends = [
        start + size
        for starts, sizes in _PARTS
        for start, size in zip(tags.get(starts, []), tags.get(sizes, []), strict=False)
    ]
    return max(ends, default=0)


def _directory(file: BinaryIO, order: str, big: bool) -> tuple[dict[int, list[int]], int]:
    """Values of the tags that are read, and where the next directory begins; 0 after the last."""
    count = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))[0]
    entry, field = (20, 8) if big else (12, 4)
    if count > 65_535:
        raise ReadError("a directory of the TIFF file states too many entries")
    entries = file.read(entry * count)
    after = file.read(8 if big else 4)
    tags: dict[int, list[int]] = {}
    for at in range(0, entry * count, entry):
        tag, kind = struct.unpack(f"{order}HH", entries[at : at + 4])
        if tag not in _MOST_VALUES or kind not in _SIZES:
            continue
        values = struct.unpack(order + ("Q" if big else "I"), entries[at + 4 : at + 4 + field])[0]
        values = min(values, _MOST_VALUES[tag])
        content = entries[at + 4 + field : at + entry]
        if values * _SIZES[kind] > field:
            file.seek(struct.unpack(order + ("Q" if big else "I"), content)[0])
            content = file.read(values * _SIZES[kind])
        tags[tag] = list(struct.unpack(f"{order}{values}{_CODES[kind]}", content[: values * _SIZES[kind]]))
    return tags, struct.unpack(order + ("Q" if big else "I"), after)[0]
