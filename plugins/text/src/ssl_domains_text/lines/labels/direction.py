"""Right-to-left scripts: the direction of a transcript, and its characters in the order of the frames.

The picture of a right-to-left line is mirrored before the encoder, so that its frames run in reading order, as its
characters do in Unicode. Numbers and Latin words in such a line run the other way: their characters are reversed, so
that they too stand in the order of the frames.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

__all__ = ["Direction", "direction_of", "frame_order"]

Direction = Literal["ltr", "rtl"]

_RIGHT, _NUMBER, _SPACE = frozenset({"R", "AL"}), frozenset({"EN", "AN"}), frozenset({"WS", "S", "B"})


def direction_of(text: str) -> Direction | None:
    """Direction of the script that most letters of a text have; None for a text without letters."""
    left = right = 0
    for character in text:
        kind = unicodedata.bidirectional(character)
        left += kind == "L"
        right += kind in _RIGHT
    return None if not left and not right else "rtl" if right > left else "ltr"


def frame_order(text: str) -> str:
    """A right-to-left transcript with each of its left-to-right runs reversed.

    A run is a stretch of Latin (or other left-to-right) letters and digits, with what stands between them, but for
    spaces between two numbers. Applied twice, it gives the text back, so it also turns predictions into reading order.

    Example:
        >>> frame_order("שנת 1948")
        'שנת 8491'
    """
    clusters = _clusters(text)
    kinds = [_kind(one[0]) for one in clusters]
    made, place = list(clusters), 0
    while place < len(clusters):
        if kinds[place] not in "ld":
            place += 1
            continue
        stop = place + 1  # behind the last letter or digit of the run
        ahead = stop
        while ahead < len(clusters) and kinds[ahead] != "r":
            if kinds[ahead] in "ld":
                numbers = kinds[stop - 1] == kinds[ahead] == "d"
                if numbers and "s" in kinds[stop:ahead]:
                    break
                stop = ahead + 1
            ahead += 1
        made[place:stop] = clusters[place:stop][::-1]
        place = stop
    return "".join(made)


def _clusters(text: str) -> list[str]:
    """Characters with the marks that belong to them."""
    made: list[str] = []
    for character in text:
        if made and unicodedata.bidirectional(character) == "NSM":
            made[-1] += character
        else:
            made.append(character)
    return made


def _kind(character: str) -> str:
    """``l`` left-to-right letter, ``r`` right-to-left letter, ``d`` digit, ``s`` space, ``n`` anything else."""
    kind = unicodedata.bidirectional(character)
    if kind == "L":
        return "l"
    return "r" if kind in _RIGHT else "d" if kind in _NUMBER else "s" if kind in _SPACE else "n"
