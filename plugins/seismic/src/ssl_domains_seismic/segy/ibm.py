"""IBM floating point numbers (System/360 hexadecimal) to float32, whole arrays at once.

A word is sign (1 bit), exponent e (7 bits) and fraction m (24 bits); its value is ±m/2²⁴ · 16^(e − 64). The fraction
need not be normalised: 0x42064000 is 6.25.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["decode_ibm"]

_FRACTION = np.uint32(0x00FFFFFF)
_EXPONENTS = 4.0 * (np.arange(128) - 64)
_SIGNED = np.concatenate([np.exp2(_EXPONENTS), -np.exp2(_EXPONENTS)])  # by the first byte: sign and exponent
with np.errstate(over="ignore", under="ignore"):
    _SIGNED_FLOAT32 = _SIGNED.astype(np.float32)
_UNIT = np.float32(2.0**-24)
_PIECE = 1 << 14
"""Words that are decoded at a time: they and what is computed from them stay in the processor's cache."""


def decode_ibm(words: NDArray[Any], out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Decode words, uint32 in the machine's byte order; numbers too large for float32 become infinite.

    A fraction of 24 bits fits float32, so every number within its range is exact.

    Args:
        words: uint32 of any shape.
        out: Takes the numbers, in C order and of the same shape; may be the memory of ``words``. None for a new array.
    """
    words = np.ascontiguousarray(words)
    made = np.empty(words.shape, dtype=np.float32) if out is None else out
    source, target = words.reshape(-1), made.reshape(-1)
    size = min(_PIECE, source.size)
    fraction, power = np.empty(size, np.float32), np.empty(size, np.float32)
    bits, place = np.empty(size, np.uint32), np.empty(size, np.intp)
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, source.size, _PIECE):
            piece = source[start : start + _PIECE]
            many = len(piece)
            np.bitwise_and(piece, _FRACTION, out=bits[:many])
            np.multiply(bits[:many], _UNIT, out=fraction[:many], casting="unsafe", dtype=np.float32)
            np.right_shift(piece, 24, out=bits[:many])
            place[:many] = bits[:many]
            # No place is outside the table of 256; the mode saves numpy a copy of the result.
            np.take(_SIGNED_FLOAT32, place[:many], out=power[:many], mode="clip")
            fraction[:many] *= power[:many]
            if not np.isfinite(fraction[:many].sum()):
                fraction[:many] = _exact(piece)
            target[start : start + many] = fraction[:many]  # last: it may be the memory of the words
    return made


def _exact(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The same by float64.

    Powers of 16 beyond float32 are infinite in the table: zero times infinity, and small fractions of large powers.
    """
    exact = np.bitwise_and(words, _FRACTION) * 2.0**-24 * _SIGNED.take(np.right_shift(words, 24))
    return np.asarray(exact, dtype=np.float64).astype(np.float32)
