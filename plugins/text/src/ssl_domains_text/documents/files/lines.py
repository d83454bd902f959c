"""The lines of a text file: only a line feed ends one, and bytes that are no text name their line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains_text.documents.files.record import Fault

__all__ = ["ENCODINGS", "numbered_lines", "require_encoding"]

ENCODINGS = ("utf-8", "latin-1", "cp1252", "gb18030", "utf-16")
"""Encodings that ``--encoding`` takes."""

_OFFER = "--encoding latin-1 reads it as Western European text"


def require_encoding(name: str) -> str:
    """The name of an encoding in lower case.

    Raises:
        UsageError: When it is none of `ENCODINGS`.
    """
    known = name.lower().replace("_", "-")
    known = {"latin1": "latin-1", "iso-8859-1": "latin-1", "utf8": "utf-8", "windows-1252": "cp1252"}.get(known, known)
    if known not in ENCODINGS:
        raise UsageError(f"unknown encoding {name!r}", did_you_mean(known, ENCODINGS))
    return known


def numbered_lines(path: Path, encoding: str = "utf-8") -> Iterator[tuple[int, str] | Fault]:
    """Yield the lines with their numbers from 1 on, or a `Fault` for a line that is not text in this encoding.

    ``U+2028``, ``U+0085`` and form feeds are characters of the text, not ends of lines: JSON may hold them as they are.

    Raises:
        OSError: When the file can't be read.
    """
    if encoding == "utf-16":
        with path.open(encoding="utf-16", newline="\n", errors="replace") as text:
            for number, line in enumerate(text, start=1):
                yield number, line.rstrip("\r\n")
        return
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            yield Fault(1, f"the file begins as UTF-16 does, and is no {encoding.upper()}: --encoding utf-16 reads it")
            return
        file.seek(0)
        for number, raw in enumerate(file, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 and encoding == "utf-8" else encoding)
            except UnicodeDecodeError as error:
                offer = f": {_OFFER}" if encoding == "utf-8" else ""
                byte = raw[error.start]
                yield Fault(
                    number, f"byte {error.start + 1} of the line (0x{byte:02X}) is no {encoding.upper()}{offer}"
                )
                continue
            if "\x00" in line:
                yield Fault(number, "a zero byte: it is no text")
                continue
            yield number, line.rstrip("\r\n")
