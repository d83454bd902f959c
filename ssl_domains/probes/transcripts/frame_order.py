"""Right-to-left lines: from the order in which a text is read to the order in which its frames stand, and back.

The frames of a line run from left to right. A Hebrew or Arabic text is stored in the order in which it is read, so its
first character stands over the last frames; numbers and Latin words inside it run from left to right again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TypeVar

from ssl_domains.probes.transcripts.bidirectional import runs_left_to_right

__all__ = ["frame_order", "reading_order"]

_TRIES = 8

T = TypeVar("T")


def frame_order(text: str, rtl: bool) -> str:
    """The characters of a text in the order of the frames.

    A left-to-right text is returned as it is. A right-to-left text is reversed; what runs from left to right inside it
    keeps its order, by Unicode's bidirectional algorithm: words of Latin letters with what stands between them, and
    numbers with their points and signs. Combining marks stay behind their letter. Brackets are not mirrored.

    Args:
        text: The text in reading order.
        rtl: Whether the line is written from right to left.

    Example:
        >>> frame_order("\\u05d0\\u05d1 12", True) == "12 \\u05d1\\u05d0"
        True
    """
    if not rtl:
        return text
    letters = _with_their_marks(text)
    return "".join(_turned(letters, _left_to_right(letters)))


def reading_order(shown: str, rtl: bool) -> str:
    """The text whose characters stand in this order over the frames: `frame_order` backwards.

    Where several texts look the same, it is one of them. It is found by correcting a guess; for a few odd mixtures of
    scripts and signs a text comes out that looks nearly the same.

    Args:
        shown: The characters in the order of the frames.
        rtl: Whether the line is written from right to left.

    Example:
        >>> reading_order("12 \\u05d1\\u05d0", True) == "\\u05d0\\u05d1 12"
        True
    """
    if not rtl:
        return shown
    letters = _with_their_marks(shown)
    runs = _left_to_right(letters)
    # What runs from left to right is known of the text, not of the frames: guess, and correct until both agree.
    for _ in range(_TRIES):
        read = _turned(letters, runs)
        found = _left_to_right(read)
        back = _turned(found, found)
        if back == runs:
            break
        runs = back
    return "".join(_turned(letters, runs))


def _left_to_right(letters: Sequence[str]) -> list[bool]:
    bases = [letter[0] for letter in letters]
    return runs_left_to_right([unicodedata.bidirectional(base) or "L" for base in bases], bases)


def _turned(values: Sequence[T], runs: Sequence[bool]) -> list[T]:
    """The values reversed, except stretches where ``runs`` holds; the same with turned ``runs`` gives them back."""
    turned = list(reversed(values))
    start = 0
    while start < len(values):
        stop = start + 1
        while runs[start] and stop < len(values) and runs[stop]:
            stop += 1
        if runs[start]:
            turned[len(values) - stop : len(values) - start] = values[start:stop]
        start = stop
    return turned


def _with_their_marks(text: str) -> list[str]:
    """The characters of a text, each with the combining marks behind it."""
    letters: list[str] = []
    for character in text:
        if letters and unicodedata.bidirectional(character) == "NSM":
            letters[-1] += character
        else:
            letters.append(character)
    return letters
