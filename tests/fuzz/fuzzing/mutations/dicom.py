"""Damage to DICOM files: single elements, found by their tags in the file."""

from __future__ import annotations

import struct
from random import Random

__all__ = ["DICOM", "element_length", "element_text", "element_value", "nested_sequences", "removed_element"]

_NUMBERS = (  # read as 16-bit numbers: what the size of the pixels is computed from
    (0x0028, 0x0002), (0x0028, 0x0006), (0x0028, 0x0010), (0x0028, 0x0011), (0x0028, 0x0100), (0x0028, 0x0101),
    (0x0028, 0x0102), (0x0028, 0x0103),
)  # fmt: skip
_TEXTS = (
    (0x0002, 0x0002), (0x0002, 0x0010), (0x0008, 0x0005), (0x0008, 0x0008), (0x0008, 0x0016), (0x0008, 0x0018),
    (0x0008, 0x0060), (0x0010, 0x0020), (0x0018, 0x0050), (0x0018, 0x0081), (0x0018, 0x1060), (0x0020, 0x000D),
    (0x0020, 0x000E), (0x0020, 0x0013), (0x0020, 0x0032), (0x0020, 0x0037), (0x0028, 0x0004), (0x0028, 0x0008),
    (0x0028, 0x0030), (0x0028, 0x1050), (0x0028, 0x1051), (0x0028, 0x1052), (0x0028, 0x1053), (0x0004, 0x1430),
    (0x0004, 0x1500),
)  # fmt: skip
_OTHERS = ((0x7FE0, 0x0010), (0x0002, 0x0000), (0x5200, 0x9229), (0x5200, 0x9230), (0x0004, 0x1220), (0xFFFE, 0xE000))
_LONG_VR = (b"OB", b"OW", b"SQ", b"UN", b"UT", b"OF", b"OD", b"UC", b"UR", b"OL", b"OV")
_VRS = (*_LONG_VR, b"US", b"SS", b"IS", b"DS", b"CS", b"UI", b"LO", b"AT", b"FD", b"PN", b"DA", b"ZZ", b"\0\0")
_WORDS = (
    b"", b"nan", b"1e999", b"-1", b"0", b"2000000000", b"9" * 16, b"1\\2", b"\\\\\\", b"a\\b\\c",
    b"1.2.840.10008.1.2.5",
    b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99", b"1.2.3",
    b"ISO_IR 192", b"ISO 2022 IR 87", b"GB18030", b"MONOCHROME1", b"PALETTE COLOR", b"YBR_FULL_422", b"RGB",
    b"\xff\xfe",
    b"\0\0", b"1.2.840.10008.5.1.4.1.1.66.4", b"0\\0\\0\\0\\0\\0", b"1\\0\\0\\1\\0\\0", b"inf\\0\\0",
)  # fmt: skip


def element_value(data: bytes, rng: Random) -> bytes:
    """A 16-bit number, such as Rows or BitsAllocated, becomes another one."""
    place, _, _ = _element(data, rng, _NUMBERS)
    number = rng.choice((0, 1, 2, 3, 7, 9, 12, 16, 24, 32, 64, 255, 4096, 32767, 65535))
    return data[: place + 8] + struct.pack("<H", number) + data[place + 10 :]


def element_text(data: bytes, rng: Random) -> bytes:
    """The text of an element becomes another one, of its own length."""
    place, header, length = _element(data, rng, _TEXTS)
    text = rng.choice(_WORDS)
    text += b" " * (len(text) % 2)
    size = struct.pack("<I", len(text)) if header == 12 else struct.pack("<H", len(text))
    return data[: place + header - len(size)] + size + text + data[place + header + length :]


def element_length(data: bytes, rng: Random) -> bytes:
    """The length or the type of an element becomes another one, and its value stays."""
    place, header, _ = _element(data, rng, (*_NUMBERS, *_TEXTS, *_OTHERS))
    if rng.random() < 0.4:
        return data[: place + 4] + rng.choice(_VRS) + data[place + 6 :]
    if header == 12:
        length = struct.pack("<I", rng.choice((0, 1, 7, 2**31, 2**32 - 1, 2**32 - 2, len(data), len(data) * 2)))
        return data[: place + 8] + length + data[place + 12 :]
    return data[: place + 6] + struct.pack("<H", rng.choice((0, 1, 3, 64, 65534, 65535))) + data[place + 8 :]


def removed_element(data: bytes, rng: Random) -> bytes:
    """An element is left out, or stands there twice."""
    place, header, length = _element(data, rng, (*_NUMBERS, *_TEXTS, *_OTHERS))
    end = place + header + length
    return data[:end] + data[place:] if rng.random() < 0.3 else data[:place] + data[end:]


def nested_sequences(data: bytes, rng: Random) -> bytes:
    """A sequence in a sequence, thousands of times, of undefined length, before the pixels."""
    tag = rng.choice((_OTHERS[0], (0x0020, 0x0013), (0x0028, 0x0002)))
    place = data.find(struct.pack("<HH", *tag), 128)
    if place < 0:
        raise ValueError
    opened = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 2**32 - 1) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 2**32 - 1
    )
    closed = struct.pack("<HHI", 0xFFFE, 0xE00D, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    depth = rng.choice((3, 400, 20_000))
    return data[:place] + opened * depth + closed * rng.choice((depth, 0)) + data[place:]


def _element(data: bytes, rng: Random, tags: tuple[tuple[int, int], ...]) -> tuple[int, int, int]:
    """Place, bytes before the value, and length of an element in explicit little-endian coding."""
    found = [place for tag in tags if (place := data.find(struct.pack("<HH", *tag), 128)) >= 0]
    if not found:
        raise ValueError
    place = rng.choice(found)
    long = data[place + 4 : place + 6] in _LONG_VR
    header = 12 if long else 8
    if len(data) < place + header:
        raise ValueError
    length = struct.unpack_from("<I" if long else "<H", data, place + header - (4 if long else 2))[0]
    return place, header, length if length <= len(data) else 0


DICOM = (element_value, element_value, element_text, element_text, element_length, removed_element, nested_sequences)
