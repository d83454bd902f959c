"""Writing SEG-Y for the demonstration: every header word can be set, also to what is wrong.

Source: SEG Technical Standards Committee, SEG-Y revision 1 (2002); bytes are counted from 1, as there.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["IBM", "IEEE", "INT8", "SegyFile", "ibm_words", "text_header"]

IBM, IEEE, INT8 = 1, 5, 8
"""Codes of the sample formats."""

_TYPES = {IEEE: "f4", INT8: "i1"}
_TWO_BYTES = frozenset({29, 31, 33, 35, 69, 71, *range(89, 180, 2), 215})
"""Trace-header words of two bytes, of those that are used here; others have four."""

_TEXT_LINES, _TEXT_WIDTH = 40, 80


def text_header(lines: Mapping[int, str]) -> bytes:
    """40 lines of 80 characters in EBCDIC, numbered ``C 1`` to ``C40``; lines that are not given are blank.

    Args:
        lines: Number of the line, from 1 → its text of at most 76 characters.

    Raises:
        ValueError: When a text is longer.
    """
    shown = [f"C{number:2d} {lines.get(number, '')}".ljust(_TEXT_WIDTH) for number in range(1, _TEXT_LINES + 1)]
    if any(len(line) > _TEXT_WIDTH for line in shown):
        raise ValueError("a line of the text header is longer than 80 characters")
    return "".join(shown).encode("cp037")


@dataclass(frozen=True)
class SegyFile:
    """The contents of a file.

    Attributes:
        text: 3,200 bytes.
        samples: ``[trace, sample]``.
        words: First byte of a trace-header word → its value in each trace, or one value for all.
        interval_us: Sample interval in µs.
        code: Format in which the samples stand.
        said_code: Format that the binary header states; None states `code`.
        byte_order: ``">"`` (big-endian, as the standard says) or ``"<"``.
        sorting: Code of the order of traces in the binary header: 4 is stacked, 1 is as recorded.
    """

    text: bytes
    samples: NDArray[np.float32] | NDArray[np.uint8]
    words: Mapping[int, NDArray[np.int64] | int]
    interval_us: int
    code: int = IEEE
    said_code: int | None = None
    byte_order: str = ">"
    sorting: int = 4

    def write(self, path: Path, cut: int = 0) -> None:
        """Write the file.

        Args:
            path: Where to.
            cut: Bytes that are left out at the end.
        """
        contents = self.text + self._binary_header() + self._traces()
        path.write_bytes(contents[: len(contents) - cut])

    def _binary_header(self) -> bytes:
        header = bytearray(400)
        code = self.code if self.said_code is None else self.said_code
        shorts = {3217: self.interval_us, 3221: self.samples.shape[1], 3225: code, 3227: 1, 3229: self.sorting, 3255: 1}
        shorts |= {3501: 0x0100, 3503: 1}
        for byte, value in shorts.items():
            struct.pack_into(self.byte_order + "H", header, byte - 3201, value)
        return bytes(header)

    def _traces(self) -> bytes:
        number, length = self.samples.shape
        stored = self._stored()
        fields = sorted({1, 5, 29, 115, 117, *self.words})
        kinds = [self.byte_order + ("i2" if byte in _TWO_BYTES else "i4") for byte in fields]
        header = np.dtype(
            {
                "names": [str(byte) for byte in fields],
                "formats": kinds,
                "offsets": [byte - 1 for byte in fields],
                "itemsize": 240,
            }
        )
        traces = np.zeros(number, dtype=[("header", header), ("samples", stored.dtype, (length,))])
        fixed = {1: np.arange(1, number + 1), 5: np.arange(1, number + 1), 29: 1, 115: length, 117: self.interval_us}
        for byte, values in {**fixed, **self.words}.items():
            traces["header"][str(byte)] = values
        traces["samples"] = stored
        return traces.tobytes()

    def _stored(self) -> NDArray[np.generic]:
        if self.code == IBM:
            return ibm_words(self.samples).astype(self.byte_order + "u4")
        return self.samples.astype(self.byte_order + _TYPES[self.code])


def ibm_words(values: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Values as IBM System/360 single floats: ``±0.m · 16^(e - 64)``, mantissa of 24 bits, exponent of 7 bits."""
    wide = np.asarray(values, dtype=np.float64)
    fraction, binary = np.frexp(np.abs(wide))  # |value| = fraction · 2^binary, fraction in [1/2, 1)
    exponent = -(-binary // 4)
    mantissa = np.rint(np.ldexp(fraction, binary - 4 * exponent + 24)).astype(np.int64)
    carried = mantissa >= 1 << 24
    mantissa, exponent = np.where(carried, mantissa >> 4, mantissa), exponent + carried
    words = (np.signbit(wide).astype(np.int64) << 31) | ((exponent + 64).astype(np.int64) << 24) | mantissa
    return np.where(wide == 0, 0, words).astype(np.uint32)
