"""Damage to PNG, JPEG and TIFF: chunks with right checksums, segments, directory entries."""

from __future__ import annotations

import struct
import zlib
from random import Random

from fuzzing.mutations.raw import RAW

__all__ = ["JPEG", "PNG", "TIFF", "jpeg_segment", "png_chunk", "png_header", "png_text_bomb", "tiff_entry"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIDES = (0, 1, 2, 7, 255, 4096, 40_000, 2**31 - 1, 2**32 - 1)


def png_header(data: bytes, rng: Random) -> bytes:
    """Sides, depth, colour type or interlacing of a PNG, with a right checksum."""
    chunks = _chunks(data)
    header = bytearray(chunks[0][1])
    if chunks[0][0] != b"IHDR" or len(header) != 13:
        raise ValueError
    field = rng.randrange(6)
    if field < 2:
        struct.pack_into(">I", header, 4 * field, rng.choice(_SIDES))
    else:
        header[6 + field] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    return _joined([(b"IHDR", bytes(header)), *chunks[1:]])


def png_chunk(data: bytes, rng: Random) -> bytes:
    """A chunk of a PNG removed, doubled, moved, emptied or damaged, with a right checksum."""
    chunks = _chunks(data)
    place = rng.randrange(len(chunks))
    name, content = chunks[place]
    how = rng.randrange(5)
    if how == 0:
        del chunks[place]
    elif how == 1:
        chunks[place:place] = [chunks[place]] * rng.choice((1, 300))
    elif how == 2:
        chunks.insert(rng.randrange(len(chunks)), chunks.pop(place))
    elif how == 3:
        chunks[place] = (rng.choice((name, b"tRNS", b"PLTE", b"eXIf", b"iCCP", b"acTL", b"IDAT")), b"")
    else:
        chunks[place] = (name, rng.choice(RAW)(content, rng))
    return _joined(chunks)


def png_text_bomb(data: bytes, rng: Random) -> bytes:
    """A compressed text, profile or picture data that expand to 60 MB."""
    chunks = _chunks(data)
    zeros = zlib.compress(bytes(60_000_000), 1)
    name, content = rng.choice(((b"zTXt", b"a\0\0" + zeros), (b"iCCP", b"a\0\0" + zeros), (b"IDAT", zeros)))
    return _joined([*chunks[:1], (name, content), *chunks[1:]])


def jpeg_segment(data: bytes, rng: Random) -> bytes:
    """The length, marker or contents of a segment of a JPEG before its scan."""
    if data[:2] != b"\xff\xd8":
        raise ValueError
    places, place = [], 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        places.append(place)
        place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    if not places:
        raise ValueError
    place = rng.choice(places)
    how = rng.randrange(3)
    if how == 0:
        return data[: place + 2] + struct.pack(">H", rng.choice((0, 1, 2, 65535))) + data[place + 4 :]
    if how == 1:
        return (
            data[: place + 1]
            + bytes([rng.choice((0xC0, 0xC2, 0xC3, 0xC4, 0xDB, 0xDD, 0xE1, 0xEE, 0xFE))])
            + data[place + 2 :]
        )
    inside = place + 4 + rng.randrange(16)
    return data[:inside] + bytes([rng.choice((0, 1, 4, 127, 255))]) + data[inside + 1 :]


def tiff_entry(data: bytes, rng: Random) -> bytes:
    """Tag, type, count or value of an entry of the first directory of a TIFF, or the place of the next directory."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 16:
        raise ValueError
    directory = struct.unpack_from(order + "I", data, 4)[0]
    if directory + 2 > len(data):
        raise ValueError
    count = struct.unpack_from(order + "H", data, directory)[0]
    entries = [place for i in range(count) if (place := directory + 2 + 12 * i) + 16 <= len(data)]
    if not entries:
        raise ValueError
    if rng.random() < 0.1:  # a directory that follows itself, or lies elsewhere
        following = rng.choice((directory, 8, len(data), 2**32 - 1))
        return data[: entries[-1] + 12] + struct.pack(order + "I", following) + data[entries[-1] + 16 :]
    place = rng.choice(entries)
    offset, code, numbers = rng.choice(
        (
            (0, "H", (254, 256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 320, 339, 34665)),
            (2, "H", (0, 1, 2, 3, 4, 5, 12, 13, 65535)),
            (4, "I", (0, 1, 2, 3, 65536, 2**28, 2**32 - 1)),
            (8, "I", (0, 1, 2, 5, 7, 8, 16, 32, 64, 65535, 32773, 2**31 - 1, 2**32 - 1)),
            (8, "H", (0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 65535)),
        )
    )
    packed = struct.pack(order + code, rng.choice(numbers))
    return data[: place + offset] + packed + data[place + offset + len(packed) :]


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    if not data.startswith(_SIGNATURE):
        raise ValueError
    chunks, place = [], len(_SIGNATURE)
    while place + 12 <= len(data):
        length = struct.unpack_from(">I", data, place)[0]
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    if not chunks:
        raise ValueError
    return chunks


def _joined(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = [
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    ]
    return _SIGNATURE + b"".join(parts)


PNG = (*RAW, *(png_header,) * 5, *(png_chunk,) * 5, png_text_bomb)
JPEG = (*RAW, *(jpeg_segment,) * 8)
TIFF = (*RAW, *(tiff_entry,) * 10)
