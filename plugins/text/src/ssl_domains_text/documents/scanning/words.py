"""Words of a text, for lengths and cuts: runs without white space, and single characters of scripts without spaces."""

from __future__ import annotations

from ssl_domains_text.documents.segmentation import patterns

__all__ = ["count_words", "cut_text"]


def count_words(text: str) -> int:
    """Number of words."""
    return len(text.split()) if text.isascii() else sum(1 for _ in patterns().length.finditer(text))


def cut_text(text: str, words: int) -> list[tuple[int, int]]:
    """Cut a text into pieces of so many words, the last one shorter: start and stop of each, in characters."""
    spans = [match.span() for match in patterns().length.finditer(text)]
    firsts = range(0, len(spans), words)
    return [(spans[first][0], spans[min(first + words, len(spans)) - 1][1]) for first in firsts]
