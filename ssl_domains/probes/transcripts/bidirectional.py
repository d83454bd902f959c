"""Which characters of a right-to-left line run from left to right: Unicode's bidirectional algorithm (UAX 9)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

__all__ = ["runs_left_to_right"]

_OPEN, _CLOSED = "([{", ")]}"
_NEUTRAL = frozenset({"ON", "WS", "B", "S", "BN"})
_NUMBERS = frozenset({"EN", "AN"})
_STRONG = frozenset({"L", "R", "AL"})


def runs_left_to_right(kinds: Sequence[str], characters: Sequence[str]) -> list[bool]:
    """Which characters of one line run from left to right, where the line itself runs from right to left.

    These are the rules W2 to W7, N0 to N2, I1 and I2 of UAX 9 for one line without marks of direction. Combining marks
    go with their letter, and are not among the characters.

    Args:
        kinds: Bidirectional class of each character, as `unicodedata.bidirectional` names it.
        characters: The ``n`` characters, in the order in which they are read.

    Source:
        Unicode Standard Annex 9, Unicode Bidirectional Algorithm.
    """
    found = _weak(list(kinds))
    _brackets(found, characters)
    for start, stop in _stretches(found, _NEUTRAL):
        around = (_direction(found, start - 1), _direction(found, stop))
        found[start:stop] = ["L" if around == ("L", "L") else "R"] * (stop - start)  # N1, N2
    return [kind == "L" or kind in _NUMBERS for kind in found]


def _weak(kinds: list[str]) -> list[str]:
    """Numbers, and the signs that belong to them (W2 to W7); what is left of the signs is neutral."""
    strong = "R"
    for place, kind in enumerate(kinds):
        if kind in _STRONG:
            strong = kind
        elif kind == "EN" and strong == "AL":
            kinds[place] = "AN"  # a European digit behind Arabic letters: signs don't stay with it
    for place in range(1, len(kinds) - 1):
        before, kind, behind = kinds[place - 1 : place + 2]
        if before == behind and kind in {"EN": ("ES", "CS"), "AN": ("CS",)}.get(before, ()):
            kinds[place] = before
    for start, stop in _stretches(kinds, frozenset({"ET", "BN"})):
        signs = [place for place in range(start, stop) if kinds[place] == "ET"]
        if signs and "EN" in (*kinds[start - 1 : start], *kinds[stop : stop + 1]):
            kinds[start:stop] = ["EN"] * (stop - start)
    strong = "R"
    for place, kind in enumerate(kinds):
        if kind in _STRONG:
            strong = kind
        elif kind in ("ES", "ET", "CS"):
            kinds[place] = "ON"
        elif kind == "EN" and strong == "L":
            kinds[place] = "L"
    return ["R" if kind == "AL" else kind for kind in kinds]


def _brackets(kinds: list[str], characters: Sequence[str]) -> None:
    """Give both brackets of a pair the direction of what they hold (N0)."""
    for first, last in sorted(_pairs(kinds, characters)):
        held = {_direction(kinds, place) for place in range(first + 1, last)} - {None}
        if "R" in held:
            kinds[first] = kinds[last] = "R"
        elif "L" in held:
            before = next((one for place in range(first - 1, -1, -1) if (one := _direction(kinds, place))), "R")
            kinds[first] = kinds[last] = before


def _pairs(kinds: Sequence[str], characters: Sequence[str]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    opened: list[tuple[str, int]] = []
    for place, character in enumerate(characters):
        if kinds[place] != "ON":
            continue
        if character in _OPEN:
            opened.append((_CLOSED[_OPEN.index(character)], place))
        elif character in _CLOSED:
            for depth in range(len(opened) - 1, -1, -1):
                if opened[depth][0] == character:
                    pairs.append((opened[depth][1], place))
                    del opened[depth:]
                    break
    return pairs


def _direction(kinds: Sequence[str], place: int) -> str | None:
    """Direction of a character for the neutral ones beside it; None for a neutral one. Numbers count as R."""
    if not 0 <= place < len(kinds):
        return "R"
    kind = kinds[place]
    return None if kind in _NEUTRAL else "L" if kind == "L" else "R"


def _stretches(kinds: Sequence[str], among: frozenset[str]) -> list[tuple[int, int]]:
    """Maximal stretches of characters of some classes, as (start, stop)."""
    out = []
    for held, group in groupby(range(len(kinds)), lambda place: kinds[place] in among):
        if held:
            places = [*group]
            out.append((places[0], places[-1] + 1))
    return out
