"""The text header: 40 lines of 80 characters in EBCDIC or ASCII, and what it says of header bytes."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

__all__ = ["TextHeader", "is_text", "named_bytes", "read_text_header"]

LENGTH, LINE = 3200, 80
_READABLE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:;-_/()=+*#'\"&<>%\n\r")

_KINDS = {
    "crossline": r"CROSS[ -]?LINES?|X-?LINES?|TRACE[ -]?LINE|XL|CRL",
    "inline": r"IN[ -]?LINES?|ILINES?|IL",
    "x": r"CDP[ _-]?X|X[ _-]?COORD(?:INATE)?S?|EASTINGS?",
    "y": r"CDP[ _-]?Y|Y[ _-]?COORD(?:INATE)?S?|NORTHINGS?",
}
_TOKEN = re.compile(
    "|".join(rf"(?P<{kind}>(?<![A-Z])(?:{word})(?![A-Z]))" for kind, word in _KINDS.items())
    + r"|(?<![\d.])(?P<first>\d{1,3})\s*(?:-|–|TO|\.\.)\s*(?P<last>\d{1,3})(?![\d.])"
)
_NEAR = 40  # characters between a word and its bytes


@dataclass(frozen=True)
class TextHeader:
    """A decoded text header.

    Attributes:
        encoding: ``"ebcdic"`` or ``"ascii"``.
        lines: Lines, without blanks at their ends; 40 for each header of 3,200 bytes.
    """

    encoding: str
    lines: tuple[str, ...]


def read_text_header(data: bytes) -> TextHeader:
    """Decode text headers of 3,200 bytes each, in the encoding that gives more readable characters."""
    ascii_text, ebcdic = data.decode("latin-1"), data.decode("cp037")
    encoding = "ascii" if _readable(ascii_text) >= _readable(ebcdic) else "ebcdic"
    text = ascii_text if encoding == "ascii" else ebcdic
    shown = "".join(char if char.isprintable() else " " for char in text)
    return TextHeader(encoding, tuple(shown[at : at + LINE].rstrip() for at in range(0, len(shown), LINE)))


def is_text(data: bytes) -> bool:
    """Whether most bytes are readable characters of EBCDIC or ASCII."""
    return max(_readable(data.decode("latin-1")), _readable(data.decode("cp037"))) > 0.9 * len(data)


def named_bytes(lines: tuple[str, ...]) -> dict[str, int]:
    """Bytes that the text names for inline, crossline, x and y: the first byte of each.

    ``IN-LINE: BYTES 189-192`` gives ``{"inline": 189}``, as does ``189-192 INLINE NUMBER``. Words that the text gives
    two places are left out.
    """
    found: dict[str, set[int]] = {}
    for line in lines:
        tokens = list(_TOKEN.finditer(line.upper(), 3))
        if tokens and tokens[0]["first"] is not None:
            tokens.reverse()  # the bytes stand before the words
        for word, place in itertools.pairwise(tokens):
            gap = max(place.start() - word.end(), word.start() - place.end())
            if word["first"] is None and _are_bytes(place) and gap <= _NEAR:
                found.setdefault(str(word.lastgroup), set()).add(int(place["first"]))
    return {kind: places.pop() for kind, places in sorted(found.items()) if len(places) == 1}


def _are_bytes(match: re.Match[str]) -> bool:
    """Whether a token is a range of four bytes of the trace header, as 189-192."""
    if match["first"] is None:
        return False
    first, last = int(match["first"]), int(match["last"])
    return 1 <= first <= 237 and last == first + 3


def _readable(text: str) -> int:
    return sum(char.isascii() and ord(char) in _READABLE for char in text)
