"""Sample formats of SEG-Y by their code in the binary header, and the number types they are read as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ssl_domains.samples import ReadError

__all__ = ["CODES", "IBM", "IEEE", "SampleFormat", "sample_format"]

IBM, IEEE = 1, 5


@dataclass(frozen=True)
class SampleFormat:
    """One format of samples.

    Attributes:
        code: Its code in word 3225.
        name: Its name.
        stored: Type of the words in the file, without byte order.
        read: Type of the numbers that are handed on.
    """

    code: int
    name: str
    stored: str
    read: str

    @property
    def bytes(self) -> int:
        """Bytes of a sample."""
        return np.dtype(self.stored).itemsize


_FORMATS = {
    1: SampleFormat(1, "IBM float, 4 bytes", "u4", "f4"),
    2: SampleFormat(2, "integer, 4 bytes", "i4", "i4"),
    3: SampleFormat(3, "integer, 2 bytes", "i2", "i2"),
    5: SampleFormat(5, "IEEE float, 4 bytes", "f4", "f4"),
    6: SampleFormat(6, "IEEE float, 8 bytes", "f8", "f8"),
    8: SampleFormat(8, "integer, 1 byte", "i1", "i1"),
    10: SampleFormat(10, "unsigned integer, 4 bytes", "u4", "u4"),
    11: SampleFormat(11, "unsigned integer, 2 bytes", "u2", "u2"),
    16: SampleFormat(16, "unsigned integer, 1 byte", "u1", "u1"),
}
_REFUSED = {
    4: "fixed point with gain",
    7: "integer of 3 bytes",
    9: "integer of 8 bytes",
    12: "unsigned integer of 8 bytes",
    15: "unsigned integer of 3 bytes",
}
CODES = frozenset(_FORMATS) | frozenset(_REFUSED)
"""Codes of the standard, those that are refused included: a byte order that gives another one is the wrong one."""


def sample_format(code: int) -> SampleFormat:
    """The format of a code.

    Raises:
        ReadError: For a code of the standard that isn't read here, in one sentence.
    """
    if code in _REFUSED:
        readable = ", ".join(str(known) for known in sorted(_FORMATS))
        raise ReadError(f"samples of format {code} ({_REFUSED[code]}) are not read; the codes that are: {readable}")
    return _FORMATS[code]
