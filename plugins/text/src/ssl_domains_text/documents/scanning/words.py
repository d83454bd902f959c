"""Words of a text, for lengths and cuts: runs without white space, and single characters of scripts without spaces."""

from __future__ import annotations

import re

from ssl_domains_text.documents.segmentation import FIRST_UNSPACED, is_unspaced, patterns

__all__ = ["count_words", "cut_text"]

_ASCII = re.compile(r"\S+")


def count_words(text: str) -> int:
    """Number of words."""
    if text.isascii():
        return len(text.split())
    _, _, length, unit = patterns()
    runs = length.findall(text)
    count = len(runs)
    for run in runs:
        if run >= FIRST_UNSPACED and is_unspaced(run):
            count += (len(run) if run.isalnum() else len(unit.findall(run))) - 1
    return count


def cut_text(text: str, words: int) -> list[tuple[int, int]]:
    """Cut a text into pieces of so many words, the last one shorter: start and stop of each, in characters."""
    word = _ASCII if text.isascii() else patterns().unit
    spans = [match.span() for match in word.finditer(text)]
    firsts = range(0, len(spans), words)
    return [(spans[first][0], spans[min(first + words, len(spans)) - 1][1]) for first in firsts]
