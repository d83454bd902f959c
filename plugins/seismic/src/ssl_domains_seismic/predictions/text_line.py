"""A line that is added to the text header of a SEG-Y file, in its first blank line."""

from __future__ import annotations

import re

__all__ = ["TEXT_BYTES", "with_line"]

TEXT_BYTES = 3200
_WIDTH = 80
_BLANK = re.compile(r"C?[ \d]{0,3}[\s\0]*")
_NUMBER = re.compile(r"C[ \d]\d ?")


def with_line(text: bytes, line: str, encoding: str) -> tuple[bytes, int | None]:
    """The text header with a line added.

    A line is blank when it holds nothing but its number, such as ``C12``. Its number stays. Characters that the
    encoding lacks become ``?``, and what does not fit into 80 characters is cut.

    Args:
        text: The header, 3,200 bytes.
        line: What is added.
        encoding: ``"cp037"`` (EBCDIC) or ``"ascii"``.

    Returns:
        The header, and the number of the line from 1; None when no line is blank, and the header is the given one.
    """
    for start in range(0, TEXT_BYTES, _WIDTH):
        old = text[start : start + _WIDTH]
        # Every byte stands for one character in latin-1, so a header with other bytes is decoded too.
        shown = old.decode("cp037" if encoding == "cp037" else "latin-1")
        if _BLANK.fullmatch(shown):
            number = _NUMBER.match(shown)
            before = f"{number.group().rstrip()} " if number else ""
            new = f"{before}{line}"[:_WIDTH].ljust(_WIDTH).encode(encoding, errors="replace")
            return text[:start] + new + text[start + _WIDTH :], start // _WIDTH + 1
    return text, None
