"""The text of an annotation file, of a limited size."""

from __future__ import annotations

from pathlib import Path

from ssl_domains.samples import ReadError
from ssl_domains.samples.encodings import decoded

__all__ = ["read_text"]

_LARGEST = 256 << 20


def read_text(path: Path, largest: int = _LARGEST) -> tuple[str, str | None]:
    """The text of a file, and its encoding where that is not UTF-8.

    Raises:
        ReadError: When the file has more than ``largest`` bytes.
        OSError: When it can't be read.
    """
    size = path.stat().st_size
    if size > largest:
        raise ReadError(f"the text file has {size / 1e6:,.0f} MB, more than {largest / 1e6:,.0f} MB")
    return decoded(path.read_bytes())
