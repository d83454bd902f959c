"""The guard around reading one file: whatever goes wrong becomes a cause, and the scan or filling goes on."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ssl_domains.errors import ResourceError, SslDomainsError, disk_is_full
from ssl_domains.samples.read_error import ReadError

__all__ = ["SPECIAL", "Unreadable", "cause_of", "is_special", "read_guarded"]

# The cause for what `is_special` finds.
SPECIAL = "a pipe, socket or device, which is not opened: only files are read"

T = TypeVar("T")
_SPARE_BYTES = 64 << 20
_LONGEST_CAUSE = 300


@dataclass(frozen=True)
class Unreadable:
    """A file or row that could not be read.

    Attributes:
        cause: Why, in one line, without the path of the file.
    """

    cause: str


def read_guarded(read: Callable[[], T], path: str | Path | None = None) -> T | Unreadable:
    """Call ``read``, which reads one file, and return its result, or `Unreadable` with the cause.

    Every exception is taken, also those of native decoders that are no `Exception` (a panic in Rust code). Raised again
    are only what is not the file's fault.

    Args:
        read: Function without arguments that reads the file.
        path: The file, whose path is left out of the cause.

    Raises:
        SslDomainsError: As ``read`` raises it: an error of the user, such as an unknown option.
        ResourceError: When the machine has no memory left. A single file that asks for too much is `Unreadable`.
        OSError: When the disk is full.
        KeyboardInterrupt: Also SystemExit and GeneratorExit, which end the program.

    Example:
        >>> read_guarded(lambda: 1 // 0)
        Unreadable(cause='ZeroDivisionError: integer division or modulo by zero')
    """
    try:
        return read()
    except (KeyboardInterrupt, SystemExit, GeneratorExit, SslDomainsError):
        raise
    except BaseException as error:
        return Unreadable(cause_of(error, path))


def is_special(path: str | Path) -> bool:
    """Whether a path is a pipe, a socket or a device: opening one may wait for ever, or read without end."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def cause_of(error: BaseException, path: str | Path | None = None) -> str:
    """The cause to show for an error while reading a file: one line, at most 300 characters, without the path.

    Raises:
        ResourceError: When ``error`` is a MemoryError and the machine has no memory left.
        BaseException: ``error`` itself, when the disk is full.
    """
    if disk_is_full(error):
        raise error
    if isinstance(error, MemoryError):
        _require_memory(error)
        text = "reading it asks for more memory than there is" + (f" ({error})" if str(error) else "")
    elif isinstance(error, ReadError):
        text = str(error)
    elif isinstance(error, OSError) and error.strerror:
        text = error.strerror
    else:
        text = f"{type(error).__name__}: {error}"
    text = " ".join(_without_path(text, path).encode("utf-8", "backslashreplace").decode().split())
    return (text[: _LONGEST_CAUSE - 1] + "…" if len(text) > _LONGEST_CAUSE else text) or "unreadable"


def _require_memory(error: MemoryError) -> None:
    # A small allocation tells a machine without memory from one file that asks for a huge array.
    try:
        bytearray(_SPARE_BYTES)
    except MemoryError:
        hint = "close other programs, or use smaller files"
        raise ResourceError("out of memory while reading a file", hint) from error


def _without_path(text: str, path: str | Path | None) -> str:
    if path is None:
        return text
    whole = os.fspath(path)
    for part in (os.path.abspath(whole), whole):
        text = text.replace(part, "the file") if len(part) > 3 else text
    folder = os.path.dirname(os.path.abspath(whole))
    if len(folder) > 3:  # other files of the folder, whose names may name people too
        text = re.sub(rf"(['\"]){re.escape(folder)}.*?\1|{re.escape(folder)}[^\s'\"]*", "…", text)
    name = os.path.basename(whole)
    return text.replace(name, "the file") if len(name) > 3 else text
