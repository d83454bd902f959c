"""Alphabets of transcripts as a user gives them: by name, as a text file, or as the characters."""

from __future__ import annotations

import re
import string
import unicodedata
from pathlib import Path

from ssl_domains.errors import UsageError
from ssl_domains.samples.encodings import decoded

__all__ = ["ALPHABETS", "alphabet_of"]

ALPHABETS = {
    "digits": string.digits,
    "ascii": "".join(chr(code) for code in range(0x20, 0x7F)),
    "ascii-lower": string.digits + string.ascii_lowercase,
}
"""Alphabets by name; any other text stands for its own characters."""

_LARGEST = 16 << 20  # bytes
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
    hint = "name a text file, or give the characters"
    try:
        if Path(given).stat().st_size > _LARGEST:
            raise UsageError(f"--alphabet {given}: so large a file is no alphabet", hint)
        text = decoded(Path(given).read_bytes())[0]
    except OSError as error:
        raise UsageError(f"--alphabet {given}: {error.strerror}", hint) from error
    if "\x00" in text:
        raise UsageError(f"--alphabet {given}: it is no text", hint)
    lines = text.replace("\r", "\n").split("\n")
    return frozenset("".join(unicodedata.normalize("NFC", line) for line in lines))
