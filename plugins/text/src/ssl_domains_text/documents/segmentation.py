r"""Word segmentation: where words begin and end, the same in search, near copies, clusters, word models and pages.

A word is a run of letters, digits and underscores with their combining marks, such as the vowel signs of Hindi. In
scripts without spaces between words, each character with its marks is one. Words are compared in lower case and in the
Unicode form NFC, so that ``é`` is one letter, however the file writes it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

__all__ = [
    "FIRST_UNSPACED",
    "UNSPACED",
    "Patterns",
    "folded",
    "grams_of",
    "is_unspaced",
    "patterns",
    "runs_of",
    "tokenizer_word",
    "words_of",
]

_RANGES = {
    "Thai": "\u0e01-\u0e3a\u0e40-\u0e4e\u0e50-\u0e59",
    "Lao": "\u0e81-\u0edf",
    "Burmese": "\u1000-\u1049\u1050-\u109d\ua9e0-\ua9fe\uaa60-\uaa76\uaa7a-\uaa7f",
    "Khmer": "\u1780-\u17d3\u17d7\u17dc-\u17f9",
    "Japanese": "\u3041-\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001aff0-\U0001b167",
    "repeat marks, zero": "\u3005-\u3007\u3031-\u3035\u303b",
    "bopomofo": "\u3105-\u312f\u31a0-\u31bf",
    "Chinese": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af",
}
UNSPACED = "".join(_RANGES.values())
"""Ranges of letters, digits and marks of scripts without spaces, for the brackets of a regular expression."""

FIRST_UNSPACED = "\u0e00"
"""Not above any character of `UNSPACED`: a fast first test of many words."""

_JOINERS = "\u200c\u200d"  # zero-width non-joiner and joiner; they stand inside of words of Persian and Hindi
_DOTTED = "i\u0307"  # the small letter of `İ`
_ASCII_WORD = re.compile(r"\w+", re.ASCII)
_IS_UNSPACED = re.compile(rf"[{UNSPACED}]")


class Patterns(NamedTuple):
    """Regular expressions over texts of any script, which need not be folded.

    Attributes:
        run: A word, or a run of characters of scripts without spaces.
        character: One character of a script without spaces, with its marks.
        length: A run without white space, or a run of characters of scripts without spaces.
        unit: What counts as a word for the length of a text: a run without white space, or one such character.
    """

    run: re.Pattern[str]
    character: re.Pattern[str]
    length: re.Pattern[str]
    unit: re.Pattern[str]


@cache
def patterns() -> Patterns:
    """The patterns, made when they are first needed: the combining marks are looked up, which takes some 10 ms."""
    marks = _class(code for code in (*range(0x300, 0x20000), *range(0xE0100, 0xE01F0)) if _is_mark(chr(code)))
    # For speed, Latin words before a space or punctuation come first, and frequent characters that are no marks are
    # told by `may_be_mark` before they are looked up among the marks.
    latin = r"[0-9A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02c1]++(?=[\0-/:-@\u2000-\u200b\u2010-\u2027])"
    may_be_mark = r"(?![\0-\u02ff\u3041-\u3096\u309d-\u9fff])"
    spaced = rf"[^\W{UNSPACED}]"
    word = rf"{spaced}+(?:{may_be_mark}(?:[{marks}]+|[{_JOINERS}]+(?={spaced})){spaced}*)*"
    unspaced = rf"[{UNSPACED}]+(?:{may_be_mark}[{marks}]+[{UNSPACED}]*)*"
    one = rf"[{UNSPACED}](?:{may_be_mark}[{marks}]+)?"
    others = rf"[^\s{UNSPACED}]+"
    return Patterns(
        run=re.compile(rf"{latin}|{unspaced}|{word}"),
        character=re.compile(rf"(?=\w){one}"),
        length=re.compile(rf"{others}|{unspaced}"),
        unit=re.compile(rf"{others}|{one}"),
    )


def tokenizer_word() -> str:
    """A word as a regular expression of Oniguruma, which the package tokenizers reads."""
    letter = r"\p{L}\p{N}_"
    spaced = rf"[[{letter}]&&[^{UNSPACED}]]"
    joined = rf"{spaced}+(?:(?:\p{{M}}+|[{_JOINERS}]+(?={spaced})){spaced}*)*"
    return rf"[[{letter}]&&[{UNSPACED}]]\p{{M}}*|{joined}"


def folded(text: str) -> str:
    """A text in lower case and in the Unicode form NFC, with ``i`` for the Turkish ``İ``."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", text).lower().replace(_DOTTED, "i")


def runs_of(text: str) -> list[str]:
    """The words of a folded text, and its runs of characters of scripts without spaces, in order."""
    return _ASCII_WORD.findall(text) if text.isascii() else patterns().run.findall(text)


def is_unspaced(run: str) -> bool:
    """Whether a run is of a script without spaces."""
    return run >= FIRST_UNSPACED and _IS_UNSPACED.match(run) is not None


def grams_of(run: str, size: int) -> list[str]:
    """All ``size`` neighbouring characters of a run of a script without spaces, each with its marks.

    A shorter run is returned whole.
    """
    if run.isalnum():  # no marks
        size = min(size, len(run))
        return [run[start : start + size] for start in range(len(run) - size + 1)]
    characters = patterns().character.findall(run)
    size = min(size, len(characters))
    return ["".join(characters[start : start + size]) for start in range(len(characters) - size + 1) if size]


def words_of(text: str) -> list[str]:
    """The words of a text, folded, in order; each character of a script without spaces is one.

    Example:
        >>> words_of("The fridge's हिन्दी, 翼型")
        ['the', 'fridge', 's', 'हिन्दी', '翼', '型']
    """
    text = folded(text)
    runs = runs_of(text)
    if text.isascii():
        return runs
    words: list[str] = []
    for run in runs:
        if is_unspaced(run):
            words += grams_of(run, 1)
        else:
            words.append(run)
    return words


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _class(codes: Iterable[int]) -> str:
    """Ascending code points as ranges, for the brackets of a regular expression."""
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
