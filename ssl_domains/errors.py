"""The errors a user meets: one line, a hint, and the exit code the command line ends with."""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterable

__all__ = [
    "DataError",
    "PluginError",
    "ResourceError",
    "SslDomainsError",
    "UsageError",
    "did_you_mean",
    "disk_is_full",
]

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class SslDomainsError(Exception):
    """Base of every error that is somebody's to mend, told in one line.

    Args:
        message: What is wrong, one line, no trailing full stop needed.
        hint: What to do about it, one line; may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SslDomainsError):
    """A wrong option, rule, column or configuration."""

    exit_code = 2


class PluginError(SslDomainsError):
    """A plugin is missing, broken or made for another API version."""

    exit_code = 3


class DataError(SslDomainsError):
    """The data, or the pairs made from it, cannot be trained on."""

    exit_code = 4


class ResourceError(SslDomainsError):
    """The disk or the memory ran out."""

    exit_code = 5


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or lists what is known."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"known: {shown}" if names else "none are known"


def disk_is_full(error: BaseException) -> bool:
    """Whether an error says that the disk is full, or a quota or file size is exceeded.

    Libraries in other languages (polars, safetensors) raise kinds of their own, with the system's number in the text.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    number = re.search(r"\(os error (\d+)\)", str(error))
    return number is not None and int(number[1]) in _FULL
