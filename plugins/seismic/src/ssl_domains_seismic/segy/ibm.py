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


def decode_ibm(words: NDArray[Any]) -> NDArray[np.float32]:
    """Decode words, uint32 in the machine's byte order; numbers too large for float32 become infinite.

    A fraction of 24 bits fits float32, so every number within its range is exact.
    """
    fraction = np.bitwise_and(words, _FRACTION).astype(np.float32)
    fraction *= _UNIT
    with np.errstate(invalid="ignore", over="ignore"):
        values: NDArray[np.float32] = fraction * _SIGNED_FLOAT32.take(np.right_shift(words, 24))
        if np.isfinite(values.sum()):
            return values
        # Powers of 16 beyond float32 are infinite in the table: zero times infinity, and small fractions of large
        # powers.
        exact = np.bitwise_and(words, _FRACTION) * 2.0**-24 * _SIGNED.take(np.right_shift(words, 24))
        return np.asarray(exact, dtype=np.float64).astype(np.float32)
