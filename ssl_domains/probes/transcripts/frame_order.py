"""Right-to-left lines: from the order in which a text is read to the order in which its frames stand, and back.

The frames of a line run from left to right. A Hebrew or Arabic text is stored in the order in which it is read, so its
first character stands over the last frames; numbers and Latin words inside it run from left to right again.
"""

from __future__ import annotations

import unicodedata

__all__ = ["frame_order"]

_NUMBER = ("EN", "AN")
_ABOUT_NUMBERS = ("ET",)  # such as % and $
_IN_NUMBERS = ("ES", "CS", "ET")  # such as the point of 3.14
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
    """The stretches that run from left to right, as (start, stop), by the bidirectional class of each letter."""
    runs: list[tuple[int, int]] = []
    last = -1  # the last letter or number of the current stretch
    for place, kind in enumerate(kinds):
        if kind != "L" and kind not in _NUMBER:
            continue
        if last >= 0 and _joined(kinds[last], kinds[last + 1 : place], kind):
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
        last = place
    return [_with_signs(kinds, start, stop) for start, stop in runs]


def _joined(before: str, between: list[str], after: str) -> bool:
    """Whether two letters or numbers belong to one stretch, by what stands between them."""
    if not between:
        return True
    if before == after == "L":
        return all(kind in _NEUTRAL for kind in between)
    if before in _NUMBER and after in _NUMBER:
        return len(between) == 1 and between[0] in _IN_NUMBERS
    return False


def _with_signs(kinds: list[str], start: int, stop: int) -> tuple[int, int]:
    """The stretch with the signs at the ends that belong to its numbers, such as a per cent sign."""
    if kinds[start] in _NUMBER:
        while start and kinds[start - 1] in _ABOUT_NUMBERS:
            start -= 1
    if kinds[stop - 1] in _NUMBER:
        while stop < len(kinds) and kinds[stop] in _ABOUT_NUMBERS:
            stop += 1
    return start, stop
