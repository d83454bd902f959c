"""Right-to-left lines: from the order in which a text is read to the order in which its frames stand, and back.

The frames of a line run from left to right. A Hebrew or Arabic text is stored in the order in which it is read, so its
first character stands over the last frames; numbers and Latin words inside it run from left to right again.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable

__all__ = ["frame_order"]

_STRONG = ("L", "EN", "AN")  # letters that run from left to right, and numbers
_SIGN = "ET"  # such as % and $
_SEPARATORS = ("ES", "CS")  # such as the point of 3.14
_NEUTRAL = ("WS", "ON", "ES", "CS", "ET", "BN", "S", "B")


def frame_order(text: str, rtl: bool) -> str:
    """The characters of a text in the order of the frames; applied twice, it gives the text back.

    A left-to-right text is returned as it is. A right-to-left text is reversed; stretches inside it that run from left
    to right keep their order: words of Latin letters with what stands between them, and numbers with their points and
    signs. Combining marks stay behind their letter. These are the rules of Unicode's bidirectional algorithm that
    matter for a line of one script with numbers and foreign words, not all of it.

    Args:
        text: The text in reading order, or in the order of the frames.
        rtl: Whether the line is written from right to left.

    Example:
        >>> frame_order("\\u05d0\\u05d1 12", True) == "12 \\u05d1\\u05d0"
        True
    """
    if not rtl:
        return text
    letters = _with_their_marks(text)
    kinds = [unicodedata.bidirectional(letter[0]) for letter in letters]
    turned = list(reversed(letters))
    for start, stop in _left_to_right(kinds):
        first, last = len(letters) - stop, len(letters) - start
        turned[first:last] = letters[start:stop]
    return "".join(turned)


def _with_their_marks(text: str) -> list[str]:
    """The characters of a text, each with the combining marks behind it."""
    letters: list[str] = []
    for character in text:
        if letters and unicodedata.bidirectional(character) == "NSM":
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def _left_to_right(kinds: list[str]) -> list[tuple[int, int]]:
    """The stretches that run from left to right, as (start, stop), by the bidirectional class of each letter.

    What joins two stretches depends on what stands between them and on what they hold, not on their order: otherwise a
    turned text would not turn back.
    """
    pieces: list[tuple[int, int]] = []
    for held, group in itertools.groupby(range(len(kinds)), lambda place: kinds[place] in (*_STRONG, _SIGN)):
        places = [*group]
        if held and any(kinds[place] in _STRONG for place in places):
            pieces.append((places[0], places[-1] + 1))
    numbers = _joined(pieces, lambda one, between, other: len(between) == 1 and between[0] in _SEPARATORS, kinds)
    return _joined(
        numbers,
        lambda one, between, other: "L" in one and "L" in other and all(kind in _NEUTRAL for kind in between),
        kinds,
    )


def _joined(
    pieces: list[tuple[int, int]], belong: Callable[[list[str], list[str], list[str]], bool], kinds: list[str]
) -> list[tuple[int, int]]:
    """The stretches, neighbours as one where ``belong(classes, classes between, classes)`` holds."""
    out: list[tuple[int, int]] = []
    for start, stop in pieces:
        if out and belong(kinds[slice(*out[-1])], kinds[out[-1][1] : start], kinds[start:stop]):
            out[-1] = (out[-1][0], stop)
        else:
            out.append((start, stop))
    return out
