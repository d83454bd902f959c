"""The user's errors for a full disk, and for a place that can't be written to."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ssl_domains.errors import ResourceError, SslDomainsError, UsageError, disk_is_full

__all__ = ["forbidden", "write_errors"]

_FORBIDDEN = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOTEMPTY,
    errno.ENAMETOOLONG,
    errno.ELOOP,
}


def forbidden(error: BaseException) -> bool:
    """Whether an error says that a place can't be written to: no permission, read-only, a file instead of a folder."""
    return isinstance(error, OSError) and error.errno in _FORBIDDEN


@contextmanager
def write_errors(what: str, again: str = "run the command again") -> Iterator[None]:
    """Turn errors of a full disk into `ResourceError`, and those of a forbidden place into `UsageError`.

    Other errors, also those of the project, pass unchanged.

    Args:
        what: What is written, the start of the message: ``"the report"``.
        again: What to do once there is space; part of the hint.

    Example:
        >>> with write_errors("the report"):                                             # doctest: +SKIP
        ...     write_whole(path, write)
    """
    try:
        yield
    except SslDomainsError:
        raise
    except Exception as error:
        if disk_is_full(error):
            raise ResourceError(f"the disk is full: {what} can't be written", f"free some space and {again}") from error
        if forbidden(error):
            cause = getattr(error, "strerror", None) or str(error)
            hint = "choose a place that you may write to"
            raise UsageError(f"{what} can't be written: {cause}", hint) from error
        raise
