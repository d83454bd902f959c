"""How the headers of a SEG-Y file are read: what a user decides where the file doesn't say it, or says it wrongly."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ssl_domains.errors import UsageError
from ssl_domains_seismic.segy.trace_words import WORDS

__all__ = ["OPTIONS", "Reading", "reading_of"]

OPTIONS = ("lines", "samples_as", "coordinates", "vertical")
"""Options of `reading_of`, in its order; each is also a column of the sample table where it was given."""

_NUMBERS = ("ibm", "ieee")
_COORDINATES = ("int", "ibm", "ieee")
_VERTICAL = ("time", "depth")


@dataclass(frozen=True)
class Reading:
    """How a file is read.

    Attributes:
        lines: Words of inline and crossline, by their first bytes; None to choose them.
        samples_as: ``"ibm"`` or ``"ieee"`` for float samples whose format code is wrong; None for the code.
        coordinates: How the words of x and y are read: ``"int"``, ``"ibm"`` or ``"ieee"``.
        vertical: ``"time"``: intervals are µs. ``"depth"``: they are mm, or thousandths of a foot.
        index: File of an index that keeps the header words, ``NAME.json``; None for none.
    """

    lines: tuple[int, int] | None = None
    samples_as: str | None = None
    coordinates: str = "int"
    vertical: str = "time"
    index: str | None = None


def reading_of(
    lines: str | None = None, samples_as: str | None = None, coordinates: str | None = None, vertical: str | None = None
) -> Reading:
    """Read the options of the command line.

    Args:
        lines: Words of inline and crossline, ``"189,193"``; chosen from the headers without it.
        samples_as: ``ibm`` or ``ieee``, for float samples whose format code is wrong.
        coordinates: ``int``, ``ibm`` or ``ieee``: how the words of x and y are read.
        vertical: ``time`` or ``depth``.

    Raises:
        UsageError: For a value that can't be read, or words that are not line numbers.
    """
    for flag, value, known in (
        ("--samples-as", samples_as, _NUMBERS),
        ("--coordinates", coordinates, _COORDINATES),
        ("--vertical", vertical, _VERTICAL),
    ):
        if value is not None and value not in known:
            raise UsageError(f"{flag} {value!r} is unknown", f"known: {', '.join(known)}")
    return Reading(_words(lines), samples_as, coordinates or "int", vertical or "time")


def _words(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", text)
    if found is None:
        raise UsageError(f"--lines {text!r} are not two header words", "give their first bytes: --lines 189,193")
    pair = int(found[1]), int(found[2])
    usable = sorted(byte for byte, kind in WORDS.items() if kind == "i4")
    wrong = [byte for byte in pair if byte not in usable]
    if wrong or pair[0] == pair[1]:
        what = f"byte {wrong[0]} is no word of line numbers" if wrong else "both are the same word"
        raise UsageError(f"--lines {text}: {what}", f"words: {', '.join(map(str, usable))}")
    return pair
