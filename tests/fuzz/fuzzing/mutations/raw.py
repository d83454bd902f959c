"""Damage to any file: bytes cut off, flipped, doubled, moved; numbers that could be lengths."""

from __future__ import annotations

import struct
from random import Random

__all__ = [
    "RAW", "appended", "doubled_block", "emptied", "exchanged_blocks", "flipped_bits", "length_field", "noise",
    "removed_block", "truncated", "zeros",
]  # fmt: skip

_LENGTHS = (
    0,
    1,
    2,
    3,
    7,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 2,
    2**32 - 1,
)
_LONG = (*_LENGTHS, 2**33, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


def truncated(data: bytes, rng: Random) -> bytes:
    """Cut off at any place, early ones preferred; or lacking the last few bytes."""
    if len(data) < 2:
        raise ValueError
    end = rng.choice((rng.randrange(len(data)), rng.randrange(min(len(data), 512)), len(data) - rng.randint(1, 8)))
    return data[: max(end, 0)]


def emptied(data: bytes, rng: Random) -> bytes:
    """Nothing."""
    return b""


def flipped_bits(data: bytes, rng: Random) -> bytes:
    """One to sixteen bits flipped, in half the cases within the first 512 bytes."""
    changed = bytearray(_some(data))
    end = min(len(data), 512) if rng.random() < 0.5 else len(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        changed[rng.randrange(end)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def length_field(data: bytes, rng: Random) -> bytes:
    """Two, four or eight bytes become a number that is extreme as a length, in either order of bytes."""
    size = rng.choice((2, 4, 4, 8))
    if len(data) < size:
        raise ValueError
    last = len(data) - size
    place = rng.choice((rng.randint(0, last), rng.randint(0, min(last, 400)), rng.randint(max(0, last - 400), last)))
    place -= place % rng.choice((1, 2, 4))
    number = rng.choice(_LONG if size == 8 else _LENGTHS) % 2 ** (8 * size)
    packed = struct.pack(rng.choice("<>") + {2: "H", 4: "I", 8: "Q"}[size], number)
    return data[:place] + packed + data[place + size :]


def doubled_block(data: bytes, rng: Random) -> bytes:
    """A block of up to a quarter of the file stands there twice, or up to 50 times when it is small."""
    start, end = _block(data, rng)
    times = rng.choice((1, 1, 2, 50)) if end - start < 4096 else 1
    return data[:end] + data[start:end] * times + data[end:]


def removed_block(data: bytes, rng: Random) -> bytes:
    """A block of up to a quarter of the file is left out."""
    start, end = _block(data, rng)
    return data[:start] + data[end:]


def exchanged_blocks(data: bytes, rng: Random) -> bytes:
    """Two blocks of equal length change places."""
    if len(data) < 8:
        raise ValueError
    size = rng.randint(1, len(data) // 4)
    first = rng.randint(0, len(data) - 2 * size)
    second = rng.randint(first + size, len(data) - size)
    middle = data[first + size : second]
    return data[:first] + data[second : second + size] + middle + data[first : first + size] + data[second + size :]


def noise(data: bytes, rng: Random) -> bytes:
    """A block becomes random bytes."""
    start, end = _block(data, rng)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def zeros(data: bytes, rng: Random) -> bytes:
    """A block becomes zeros, or bytes of 255."""
    start, end = _block(data, rng)
    return data[:start] + rng.choice((b"\0", b"\xff")) * (end - start) + data[end:]


def appended(data: bytes, rng: Random) -> bytes:
    """Random bytes, or the whole file once more, behind the end."""
    return data + rng.choice((rng.randbytes(rng.randint(1, 300)), data))


def _some(data: bytes) -> bytes:
    if not data:
        raise ValueError
    return data


def _block(data: bytes, rng: Random) -> tuple[int, int]:
    size = rng.randint(1, max(1, min(len(_some(data)) // 4, rng.choice((8, 64, 1 << 20)))))
    start = rng.randint(0, len(data) - size)
    return start, start + size


RAW = (
    truncated, emptied, flipped_bits, length_field, doubled_block, removed_block, exchanged_blocks, noise, zeros,
    appended,
)  # fmt: skip
