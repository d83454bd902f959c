"""Words of a text, for lengths and cuts: runs without white space, and single characters of scripts without spaces."""

from __future__ import annotations

import re

__all__ = ["UNSPACED", "count_words", "cut_text"]

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Ranges of Thai, Lao, Burmese, Khmer, Japanese and Chinese letters, for the brackets of a regular expression."""

_WORD = re.compile(rf"[{UNSPACED}]|[^\s{UNSPACED}]+")


def count_words(text: str) -> int:
    """Number of words."""
    return len(text.split()) if text.isascii() else sum(1 for _ in _WORD.finditer(text))


def cut_text(text: str, words: int) -> list[tuple[int, int]]:
    """Cut a text into pieces of so many words, the last one shorter: start and stop of each, in characters."""
    spans = [match.span() for match in _WORD.finditer(text)]
    firsts = range(0, len(spans), words)
    return [(spans[first][0], spans[min(first + words, len(spans)) - 1][1]) for first in firsts]
