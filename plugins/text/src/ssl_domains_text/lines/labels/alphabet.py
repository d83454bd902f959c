"""The characters that transcripts may have, and those of a label that are not among them."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ssl_domains.errors import UsageError
from ssl_domains.samples import ReadError
from ssl_domains_text.lines.files.text_file import read_text

__all__ = ["ALPHABETS", "alphabet_of", "named_character", "outside"]

ALPHABETS = {
    "digits": string.digits,
    "ascii": "".join(chr(code) for code in range(0x20, 0x7F)),
    "ascii-lower": string.digits + string.ascii_lowercase,
}
"""Alphabets by name; any other text stands for its own characters."""

_NAME = re.compile(r"[/\\]|\.[A-Za-z][A-Za-z0-9]{0,7}$")  # a folder or a suffix
_TEXT_NAME = re.compile(r".\.(?:txt|csv|tsv|json|lst|list|chars|alphabet)$", re.IGNORECASE)


def alphabet_of(given: str) -> frozenset[str]:
    """The characters of an alphabet: its name, a text file that holds them, or the characters themselves.

    Line breaks of a file are no characters of the alphabet. Characters are normalised as labels are (NFC), those of a
    file line by line. A text is a file name where it ends in the suffix of a text file, or has a folder or a suffix and
    repeats a character, which an alphabet doesn't.

    Raises:
        UsageError: For an alphabet without characters, and for a file that isn't there or can't be read.
    """
    if given in ALPHABETS:
        return frozenset(ALPHABETS[given])
    if _is_file(given):
        made = _of_file(given)
    elif _looks_like_a_file(given):
        raise UsageError(f"--alphabet {given}: there is no such file", "name a text file, or give each character once")
    else:
        made = frozenset(unicodedata.normalize("NFC", given))
    if not made:
        raise UsageError("--alphabet has no characters", f"give a name ({', '.join(ALPHABETS)}), a file, or characters")
    return made


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except (OSError, ValueError):  # many characters, or a zero byte, are no file name
        return False


def _looks_like_a_file(given: str) -> bool:
    letters = [one for one in unicodedata.normalize("NFC", given) if not unicodedata.combining(one)]
    repeats = len({*letters}) < len(letters)
    return bool(_TEXT_NAME.search(given) or (repeats and _NAME.search(given)))


def _of_file(given: str) -> frozenset[str]:
    try:
        text = read_text(Path(given))[0]
    except (OSError, ReadError) as error:
        cause = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"--alphabet {given}: {cause}", "name a text file, or give the characters") from error
    lines = text.replace("\r", "\n").split("\n")
    return frozenset("".join(unicodedata.normalize("NFC", line) for line in lines))


def named_character(character: str) -> str:
    """A character as it is shown in a reason: ``'ï' (U+00EF)``, or ``U+0007`` for one that can't be printed."""
    code = f"U+{ord(character):04X}"
    return f"{character!r} ({code})" if character.isprintable() else code


def outside(text: str, alphabet: Iterable[str]) -> list[str]:
    """The characters of a text that are not in the alphabet, each once, in the order of the text."""
    return list(dict.fromkeys(one for one in text if one not in alphabet))
