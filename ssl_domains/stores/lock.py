"""File lock, so that only one process at a time fills a store or writes to a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssl_domains.errors import UsageError

__all__ = ["only_one"]

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        # The locked byte is far behind the process id, which other processes must be able to read.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def only_one(path: str | Path, busy: str, instead: str = "") -> Iterator[None]:
    """Hold a lock on the file ``path``; the operating system releases it when the process ends, even if killed.

    Args:
        path: The file; made when it is not there.
        busy: Start of the error message, such as "the store is being filled".
        instead: Hint about what to do instead of waiting; empty for none.

    Raises:
        UsageError: When another process holds the lock; the message names its process id.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _try_lock(descriptor)
        except OSError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            hint = "wait until it has finished, then run again" + (f"; or {instead}" if instead else "")
            raise UsageError(f"{busy} by process {holder or 'unknown'}", hint) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)
