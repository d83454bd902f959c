"""The limit on what a compressed file may expand to, so that a small file can't fill the memory."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

from ssl_domains.errors import UsageError
from ssl_domains.samples.read_error import ReadError

__all__ = ["expanded_gzip", "expansion_limit", "require_expandable"]

_VARIABLE = "SSL_DOMAINS_MAX_FILE_GB"
_DEFAULT_GB = 4.0
_PIECE = 1 << 20


def expansion_limit() -> int:
    """Largest number of bytes that one file may expand to: 4 GB, or ``SSL_DOMAINS_MAX_FILE_GB``.

    Raises:
        UsageError: When the variable holds no positive number.
    """
    text = os.environ.get(_VARIABLE, "")
    try:
        gigabytes = float(text) if text else _DEFAULT_GB
    except ValueError:
        gigabytes = 0.0
    if not 0 < gigabytes < 1e9:
        raise UsageError(f"{_VARIABLE} is {text!r}", f"give gigabytes, such as {_VARIABLE}=8")
    return int(gigabytes * 1e9)


def require_expandable(nbytes: int | float) -> None:
    """Refuse a file whose decoded size in bytes, as its header states it, is beyond `expansion_limit`.

    Raises:
        ReadError: With both sizes and the setting.
    """
    limit = expansion_limit()
    if nbytes > limit:
        raise ReadError(
            f"it expands to {nbytes / 1e9:,.1f} GB, more than the limit of {limit / 1e9:g} GB ({_VARIABLE} sets it)"
        )


def expanded_gzip(path: str | Path, expected: int | None = None) -> bytes:
    """The contents of a gzip file, read once.

    Args:
        path: The file.
        expected: Bytes that the caller needs; reading stops there. None reads all.

    Raises:
        ReadError: When it is damaged or cut short, has fewer than ``expected`` bytes, or expands beyond the limit.
    """
    if expected is not None:
        require_expandable(expected)
    limit = expansion_limit() if expected is None else expected
    pieces: list[bytes] = []
    size = 0
    try:
        with gzip.open(path, "rb") as file:
            while size < limit and (piece := file.read(min(_PIECE, limit - size))):
                pieces.append(piece)
                size += len(piece)
            more = expected is None and size >= limit and bool(file.read(1))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ReadError(f"the compressed file is damaged or cut short after {size:,} bytes") from error
    if more:
        require_expandable(limit + 1)
    if expected is not None and size < expected:
        raise ReadError(f"it holds {size:,} bytes where its header states {expected:,}")
    return b"".join(pieces)
