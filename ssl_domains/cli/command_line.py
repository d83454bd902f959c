"""A command line as a user types it, for hints and lists of commands that can be pasted into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

__all__ = ["quoted", "typed"]


def typed(words: Sequence[str]) -> str:
    """``ssl-domains`` with its words; a rule such as ``same('patient')`` stands in double quotes and stays readable.

    Example:
        >>> typed(["medical", "pairs", "t.parquet", "--rule", "same('patient')"])
        'ssl-domains medical pairs t.parquet --rule "same(\\'patient\\')"'
    """
    return " ".join(["ssl-domains", *map(quoted, words)])


def quoted(word: str) -> str:
    """A word of a command line, in the quotation marks that a shell needs; double ones where they are enough."""
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)
