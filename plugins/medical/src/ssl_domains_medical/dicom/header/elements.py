"""Elements of a DICOM data set by their tags, as raw bytes: a scan reads thousands of headers, so each must be cheap.

Only the top level is read. What this reader doesn't understand raises `Unusual`, and the caller lets pydicom read the
file instead.
"""

from __future__ import annotations

import struct
from collections.abc import Container
from dataclasses import dataclass, field

__all__ = ["PIXEL_TAGS", "Elements", "TooShort", "Unusual", "read_elements"]

PIXEL_TAGS = {0x7FE00010: "PixelData", 0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG = frozenset([b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"])
_SHORT = frozenset(
    [b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US"]
)  # fmt: skip
_DEEPEST = 16


class Unusual(Exception):
    """The data set has something that this reader doesn't read."""


class TooShort(Unusual):
    """The bytes end before the header does."""


@dataclass
class Elements:
    """What was found at the top level of a data set.

    Attributes:
        values: Tag to the raw bytes of its value, for the wanted tags.
        pixel_tag: Tag of the pixel data, None without.
        pixel_offset: Where the pixel values begin, from the start of the bytes.
        pixel_length: Their length in bytes as stated; None when it is left open (encapsulated).
        end: Where reading stopped.
    """

    values: dict[int, bytes] = field(default_factory=dict)
    pixel_tag: int | None = None
    pixel_offset: int = 0
    pixel_length: int | None = None
    end: int = 0


def read_elements(
    data: bytes,
    start: int,
    wanted: Container[int],
    *,
    implicit: bool = False,
    little: bool = True,
    nested: Container[int] = (),
    group: int | None = None,
    whole: bool = False,
) -> Elements:
    """Read the elements from ``start`` up to the pixel data.

    Args:
        data: The beginning of the file, or of an inflated data set.
        start: Offset of the first element.
        wanted: Tags whose values are kept.
        implicit: Whether value representations are left out.
        little: Whether numbers are little-endian.
        nested: Sequences that the caller needs: one that isn't empty raises `Unusual`.
        group: Stop at the first element of another group (the file meta information is group 2).
        whole: Whether ``data`` is the whole data set, so that its end is the end of the header.

    Raises:
        TooShort: When more bytes are needed.
        Unusual: When the structure is not understood.
    """
    found = Elements()
    order = "<" if little else ">"
    tag_of, short_of, long_of = (struct.Struct(order + form).unpack_from for form in ("HH", "H", "L"))
    size, place, before = len(data), start, -1
    while True:
        found.end = place
        if place + 8 > size:
            if whole and place == size:
                return found
            raise TooShort
        high, low = tag_of(data, place)
        if group is not None and high != group:
            return found
        tag = high << 16 | low
        if tag <= before:
            raise Unusual
        before = tag
        if implicit:
            (length,), value = long_of(data, place + 4), place + 8
        else:
            kind = data[place + 4 : place + 6]
            if kind in _SHORT:
                (length,), value = short_of(data, place + 6), place + 8
            elif kind in _LONG:
                if place + 12 > size:
                    raise TooShort
                (length,), value = long_of(data, place + 8), place + 12
            else:
                raise Unusual
        if tag in PIXEL_TAGS:
            found.pixel_tag, found.pixel_offset = tag, value
            found.pixel_length = None if length == _UNDEFINED else length
            return found
        if tag > 0x7FE00010:
            return found
        if tag in nested and length:
            raise Unusual
        if length == _UNDEFINED:
            place = _after_sequence(data, value, implicit, order, 0)
            continue
        place = value + length
        if tag in wanted:
            if place > size:
                raise TooShort
            found.values[tag] = data[value:place]


def _after_sequence(data: bytes, place: int, implicit: bool, order: str, depth: int) -> int:
    """Offset after the items of a sequence of undefined length that begins at ``place``."""
    if depth > _DEEPEST:
        raise Unusual
    while True:
        tag, length = _item(data, place, order)
        place += 8
        if tag == _SEQUENCE_END:
            return place
        if tag != _ITEM:
            raise Unusual
        place = _after_item(data, place, implicit, order, depth) if length == _UNDEFINED else place + length


def _after_item(data: bytes, place: int, implicit: bool, order: str, depth: int) -> int:
    while True:
        tag, length = _item(data, place, order)
        if tag == _ITEM_END:
            return place + 8
        value = place + 8
        if not implicit:
            kind = data[place + 4 : place + 6]
            if kind in _SHORT:
                (length,) = struct.unpack_from(order + "H", data, place + 6)
            elif kind in _LONG:
                if place + 12 > len(data):
                    raise TooShort
                (length,) = struct.unpack_from(order + "L", data, place + 8)
                value = place + 12
            else:
                raise Unusual
        place = _after_sequence(data, value, implicit, order, depth + 1) if length == _UNDEFINED else value + length


def _item(data: bytes, place: int, order: str) -> tuple[int, int]:
    if place + 8 > len(data):
        raise TooShort
    high, low, length = struct.unpack_from(order + "HHL", data, place)
    return high << 16 | low, length
