"""IBM floating point numbers (System/360 hexadecimal) to float32, whole arrays at once.

A word is sign (1 bit), exponent e (7 bits) and fraction m (24 bits); its value is ±m/2²⁴ · 16^(e − 64). The fraction
need not be normalised: 0x42064000 is 6.25.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["decode_ibm"]

_SIGN, _EXPONENT, _FRACTION = np.uint32(0x80000000), np.uint32(0xFE000000), np.uint32(0x00FFFFFF)
_BIAS = np.uint32((4 * 64 + 24 - 127) << 23)
_LEAST, _BEYOND = 39 << 25, 97 << 25
"""Exponents e from 39 to 96, at their place in a word without its sign. For these, 2^(4 (e − 64) − 24) is a normal
float32 number, and its products with fractions stay below the largest one."""
_PIECE = 1 << 15
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
    first, second, fraction = np.empty(size, np.uint32), np.empty(size, np.uint32), np.empty(size, np.float32)
    for start in range(0, source.size, _PIECE):
        piece, numbers = source[start : start + _PIECE], target[start : start + _PIECE]
        many = len(piece)
        _decode_piece(piece, numbers, first[:many], second[:many], fraction[:many])
    return made


def _decode_piece(
    words: NDArray[np.uint32],
    numbers: NDArray[np.float32],
    power: NDArray[np.uint32],
    bits: NDArray[np.uint32],
    fraction: NDArray[np.float32],
) -> None:
    """Fraction times signed power of two, whose float32 bits are made from exponent and sign of the word.

    ``numbers``, which may be the memory of ``words``, is written last. The last three arrays are working memory.
    """
    np.left_shift(words, 1, out=power)
    least = int(power.min())
    if int(power.max()) >= _BEYOND or (least < _LEAST and ((power != 0) & (power < _LEAST)).any()):
        numbers[:] = _exact(words)
        return
    power &= _EXPONENT
    power -= _BIAS
    np.bitwise_and(words, _SIGN, out=bits)
    power |= bits
    np.bitwise_and(words, _FRACTION, out=bits)
    np.copyto(
        fraction, bits.view(np.int32), casting="unsafe"
    )  # int32, as processors turn it into float32 in one operation
    np.multiply(fraction, power.view(np.float32), out=numbers)
    if least == 0:
        numbers += np.float32(0)  # the word 0 has become −0


def _exact(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The same by float64, whose range holds every word."""
    exponents = np.right_shift(words & ~_SIGN, 24).astype(np.int32)
    exact = np.ldexp((words & _FRACTION).astype(np.float64), 4 * (exponents - 64) - 24)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.where(words & _SIGN, -exact, exact), dtype=np.float32)
