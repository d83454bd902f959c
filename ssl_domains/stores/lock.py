"""One process at a time fills a store, or works in a folder."""

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
        # A byte far behind the process id, so that a waiting process can still read who it waits for.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def only_one(path: Path, busy: str, instead: str = "") -> Iterator[None]:
    """Hold the lock file ``path``; the operating system frees it when the process ends, killed or not.

    Args:
        path: The file; made when it is not there.
        busy: What another process that holds it does, as in "the store is being filled".
        instead: What to do other than wait; empty for nothing.

    Raises:
        UsageError: When another process holds it, with its id.
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
