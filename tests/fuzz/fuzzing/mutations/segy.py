"""Damage to SEG-Y headers: a word of the binary header, a word of one trace or of all of them."""

from __future__ import annotations

import struct
from random import Random

from fuzzing.mutations.raw import RAW

__all__ = ["SEGY", "binary_word", "trace_word", "trace_words"]

_HEADERS, _TRACE = 3600, 240
_BINARY = {
    3213: "H", 3217: "H", 3221: "H", 3225: "h", 3255: "h", 3269: "i", 3273: "d", 3501: "B", 3503: "h", 3505: "h",
    3507: "i", 3513: "Q", 3521: "Q",
}  # fmt: skip
_SHORT = (29, 71, 109, 115, 117, 215)
_LONG = (1, 5, 9, 13, 17, 21, 25, 37, 73, 77, 181, 185, 189, 193, 197)
_NUMBERS = (0, 1, 2, 3, 5, 7, 8, 16, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63)


def binary_word(data: bytes, rng: Random) -> bytes:
    """A word of the binary header becomes a number that is extreme as a count, a format or an offset."""
    if len(data) < _HEADERS:
        raise ValueError
    byte, kind = rng.choice(tuple(_BINARY.items()))
    if kind == "d":
        packed = struct.pack(">d", rng.choice((0.0, -1.0, 1e-300, 1e300, float("nan"), float("inf"))))
    else:
        size = struct.calcsize(kind)
        packed = (rng.choice(_NUMBERS) % 256**size).to_bytes(size, rng.choice(("big", "little")))
    return data[: byte - 1] + packed + data[byte - 1 + len(packed) :]


def trace_word(data: bytes, rng: Random) -> bytes:
    """A word of one trace."""
    return _changed(data, rng, {rng.randrange(_traces(data)[0])})


def trace_words(data: bytes, rng: Random) -> bytes:
    """The same word of many traces, each with a number of its own."""
    count = _traces(data)[0]
    return _changed(data, rng, set(rng.sample(range(count), rng.randint(1, count))))


def _traces(data: bytes) -> tuple[int, int]:
    """Number of traces, and bytes of each, as the header of an undamaged file says."""
    if len(data) < _HEADERS + _TRACE:
        raise ValueError
    order = ">" if data[3224] == 0 else "<"
    samples, code = struct.unpack_from(order + "H", data, 3220)[0], struct.unpack_from(order + "h", data, 3224)[0]
    length = _TRACE + samples * {3: 2, 8: 1}.get(code, 4)
    if len(data) < _HEADERS + length:
        raise ValueError
    return (len(data) - _HEADERS) // length, length


def _changed(data: bytes, rng: Random, traces: set[int]) -> bytes:
    length, size = _traces(data)[1], rng.choice((2, 4, 4))
    byte = rng.choice(_SHORT if size == 2 else _LONG)
    small, changed = rng.random() < 0.5, bytearray(data)
    for trace in sorted(traces):
        number = rng.randrange(4) if small else rng.choice((*_NUMBERS, rng.getrandbits(32)))
        start = _HEADERS + trace * length + byte - 1
        changed[start : start + size] = (number % 256**size).to_bytes(size, "big")
    return bytes(changed)


SEGY = (*RAW, *(binary_word,) * 5, *(trace_word,) * 3, *(trace_words,) * 6)
