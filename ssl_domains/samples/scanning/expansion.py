"""The limit on what a compressed file may expand to, so that a small file can't fill the memory."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from ssl_domains.errors import UsageError
from ssl_domains.samples.read_error import ReadError

__all__ = ["expanded_gzip", "expansion_limit", "require_expandable", "require_expanded"]

_VARIABLE = "SSL_DOMAINS_MAX_FILE_GB"
_DEFAULT_GB = 4.0
_PIECE = 1 << 20
_TOO_SHORT = "it holds {:,} bytes where its header states {:,}"


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
    content = b"".join(_pieces(path, limit if expected is not None else limit + 1))
    if expected is None and len(content) > limit:
        require_expandable(len(content))
    if expected is not None and len(content) < expected:
        raise ReadError(_TOO_SHORT.format(len(content), expected))
    return content


def require_expanded(path: str | Path, expected: int) -> None:
    """Require that a gzip file expands to ``expected`` bytes at least; nothing of it is kept.

    Raises:
        ReadError: When it is damaged or cut short, or has fewer bytes.
    """
    size = sum(map(len, _pieces(path, expected)))
    if size < expected:
        raise ReadError(_TOO_SHORT.format(size, expected))


def _pieces(path: str | Path, most: int) -> Iterator[bytes]:
    """The contents of a gzip file piece by piece, at most the first ``most`` bytes."""
    size = 0
    try:
        with gzip.open(path, "rb") as file:
            while size < most and (piece := file.read(min(_PIECE, most - size))):
                yield piece
                size += len(piece)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ReadError(f"the compressed file is damaged or cut short after {size:,} bytes") from error
