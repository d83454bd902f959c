"""The direction in which a text is written, by the letters that it has."""

from __future__ import annotations

import unicodedata
from typing import Literal

__all__ = ["Direction", "direction_of"]

Direction = Literal["ltr", "rtl"]
"""Left to right, or right to left."""

_RIGHT = frozenset({"R", "AL"})  # right-to-left letters (Hebrew …), and those of Arabic


def direction_of(text: str) -> Direction | None:
    """Direction of the script that most letters of a text have; None for a text without letters, such as a number.

    Example:
        >>> direction_of("שנת 1948"), direction_of("year 1948"), direction_of("1948")
        ('rtl', 'ltr', None)
    """
    left = right = 0
    for character in text:
        kind = unicodedata.bidirectional(character)
        left += kind == "L"
        right += kind in _RIGHT
    return None if not left and not right else "rtl" if right > left else "ltr"
