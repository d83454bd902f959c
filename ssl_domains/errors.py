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
    "exhausted",
]

_NUMBER = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")
_SHORT = re.compile(r"^\d+ requested and \d+ written|PytorchStreamWriter failed writing|unexpected pos \d+ vs")
_LESS_MEMORY = "use a smaller train.batch_size, views.size or encoder; data.cache_gb and data.workers cost memory too"
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class SslDomainsError(Exception):
    """Base of the errors that a user, a plugin author or an administrator can mend; the message is one line.

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

    Libraries raise kinds of their own: polars and safetensors with the system's number in the text, xlsxwriter with the
    system's error as text, NumPy an `OSError` without a number, torch a RuntimeError of its archive writer. The error
    that an error was raised from is looked at too.
    """
    met: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in met:
        met.add(id(one))
        if isinstance(one, OSError) and one.errno is not None:
            if one.errno in _FULL:
                return True
        else:
            numbers = {int(number) for pair in _NUMBER.findall(str(one)) for number in pair if number}
            short = isinstance(one, OSError | RuntimeError) and _SHORT.search(str(one))
            if short or numbers & _FULL:
                return True
        one = one.__cause__ or one.__context__
    return False


def exhausted(error: BaseException, again: str = "run the command again") -> ResourceError | None:
    """The user's error where disk or memory ran out, in whatever form a library says so; None for other errors.

    Args:
        error: The error as it was raised. Errors of torch and of process pools are known by name, so that nothing is
            imported.
        again: How to go on once there is space; part of the hint.
    """
    text, kind = str(error), type(error).__name__
    if disk_is_full(error):
        where = f" at {error.filename}" if isinstance(error, OSError) and error.filename else ""
        cause = (error.strerror if isinstance(error, OSError) else None) or text
        return ResourceError(f"the disk is full{where}: {cause}", f"free some space and {again}")
    if kind == "OutOfMemoryError":
        return ResourceError("the GPU is out of memory", _LESS_MEMORY)
    if isinstance(error, MemoryError):
        return ResourceError("the machine is out of memory" + (f": {text}" if text else ""), _LESS_MEMORY)
    if not isinstance(error, RuntimeError):
        return None
    if "DefaultCPUAllocator" in text or "not enough memory" in text:
        return ResourceError("the machine is out of memory", _LESS_MEMORY)
    if "DataLoader worker" in text and ("killed by signal" in text or "exited unexpectedly" in text):
        cause = "a data worker was killed, most often because (shared) memory ran out"
        return ResourceError(cause, f"use fewer data.workers or a smaller train.batch_size, and {again}")
    if kind == "BrokenProcessPool":
        cause = "a process of this command was killed, most often because memory ran out"
        return ResourceError(cause, f"use fewer --jobs, and {again}")
    return None
