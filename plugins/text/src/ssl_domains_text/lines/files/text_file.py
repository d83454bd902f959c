"""The text of a file, of a limited size and in any of the usual encodings."""

from __future__ import annotations

from pathlib import Path

from ssl_domains.samples import ReadError
from ssl_domains.samples.encodings import decoded

__all__ = ["read_text"]

_LARGEST = 512 << 20


def read_text(path: Path) -> tuple[str, str | None]:
    """The text, and its encoding where that is not UTF-8.

    Raises:
        ReadError: When the file is larger than 512 MB, or holds zero bytes, which no text has.
        OSError: When it can't be read.
    """
    if path.stat().st_size > _LARGEST:
        raise ReadError("the text file is larger than 512 MB")
    text, encoding = decoded(path.read_bytes())
    if "\x00" in text[:4096]:
        raise ReadError("it is no text")
    return text, encoding
