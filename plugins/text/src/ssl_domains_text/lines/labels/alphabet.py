"""The characters of a label that are not in an alphabet, and how they are named."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["named_character", "outside"]


def named_character(character: str) -> str:
    """A character as it is shown in a reason: ``'ï' (U+00EF)``, or ``U+0007`` for one that can't be printed."""
    code = f"U+{ord(character):04X}"
    return f"{character!r} ({code})" if character.isprintable() else code


def outside(text: str, alphabet: Iterable[str]) -> list[str]:
    """The characters of a text that are not in the alphabet, each once, in the order of the text."""
    return list(dict.fromkeys(one for one in text if one not in alphabet))
