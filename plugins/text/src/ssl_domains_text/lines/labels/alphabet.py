"""The characters that transcripts may have, and those of a label that are not among them."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ssl_domains.errors import UsageError
from ssl_domains_text.lines.files.text_file import read_text

__all__ = ["ALPHABETS", "alphabet_of", "named_character", "outside"]

ALPHABETS = {
    "digits": string.digits,
    "ascii": "".join(chr(code) for code in range(0x20, 0x7F)),
    "ascii-lower": string.digits + string.ascii_lowercase,
}
"""Alphabets by name; any other text stands for its own characters."""


def alphabet_of(given: str) -> frozenset[str]:
    """The characters of an alphabet: its name, a text file that holds them, or the characters themselves.

    Line breaks of a file are no characters of the alphabet. Characters are normalised as labels are (NFC).

    Raises:
        UsageError: For an alphabet without characters, and for a file that can't be read.
    """
    characters = ALPHABETS.get(given)
    if characters is None:
        path = Path(given)
        try:
            characters = _of_file(path) if path.is_file() else given
        except OSError as error:  # a long alphabet is no file name
            if path.suffix:
                raise UsageError(
                    f"--alphabet {given}: {error.strerror}", "give a text file or the characters"
                ) from error
            characters = given
        except ValueError:
            characters = given
    made = frozenset(unicodedata.normalize("NFC", characters))
    if not made:
        raise UsageError("--alphabet has no characters", f"give a name ({', '.join(ALPHABETS)}), a file, or characters")
    return made


def _of_file(path: Path) -> str:
    return read_text(path)[0].replace("\n", "").replace("\r", "")


def named_character(character: str) -> str:
    """A character as it is shown in a reason: ``'ï' (U+00EF)``, or ``U+0007`` for one that can't be printed."""
    code = f"U+{ord(character):04X}"
    return f"{character!r} ({code})" if character.isprintable() else code


def outside(text: str, alphabet: Iterable[str]) -> list[str]:
    """The characters of a text that are not in the alphabet, each once, in the order of the text."""
    return list(dict.fromkeys(one for one in text if one not in alphabet))
