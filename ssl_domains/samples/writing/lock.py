"""File locks: only one process at a time fills a store or writes to a folder.

A lock belongs to an open file, and the operating system releases it when the process ends, even if it is killed. So the
file of a dead process does not block others.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssl_domains.errors import UsageError

__all__ = ["alone_in", "only_one", "opened_alone"]

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


_BUSY = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
"""Errors of a lock that another process holds. Others say that a file system has no locks."""
_OPEN: set[int] = set()
"""Descriptors of the locks that this process holds or tries to get."""
_HELD: set[tuple[str, int]] = set()
"""(path, thread) of the locks of `only_one` that this process holds."""


def _release_in_child() -> None:
    # A forked process, such as a data worker, has copies of the descriptors. Without this, the lock of a killed process
    # would be held until its children have noticed its death.
    for descriptor in _OPEN:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _OPEN.clear()
    _HELD.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_release_in_child)


@contextmanager
def only_one(path: str | Path, busy: str, instead: str = "", *, keep: bool = True) -> Iterator[None]:
    """Hold a lock on the file ``path``. A thread that holds it already may enter again.

    Some network file systems have no locks. There the block runs without one, since refusing would stop all work.

    Args:
        path: The file; made when it is not there. Its folder must exist.
        busy: Start of the error message, such as "the store is being filled".
        instead: Hint about what to do instead of waiting; empty for none.
        keep: Leave the file there at the end.

    Raises:
        UsageError: When another process holds the lock; the message names its process id.
    """
    path = Path(path)
    held = os.path.realpath(path), threading.get_ident()
    if held in _HELD:
        yield
        return
    with _locked(path, unlocked=True) as descriptor:
        if descriptor is None:
            hint = "wait until it has finished, then run again" + (f"; or {instead}" if instead else "")
            raise UsageError(f"{busy} by process {_holder(path)}", hint)
        _HELD.add(held)
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            yield
        finally:
            _HELD.discard(held)
            if not keep:
                with contextlib.suppress(OSError):
                    os.unlink(path)


@contextmanager
def alone_in(folder: str | Path, busy: str, instead: str = "") -> Iterator[None]:
    """Hold the lock of a folder, the file ``.lock`` in it, which is there only meanwhile.

    The folder is made when it is missing, and removed again if it is empty at the end.

    Args:
        folder: The folder.
        busy: Start of the error message.
        instead: Hint about what to do instead of waiting; empty for none.

    Raises:
        UsageError: When another process is in the folder; the message names its process id.
    """
    folder = Path(folder)
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with only_one(folder / ".lock", busy, instead, keep=False):
            yield
    finally:
        with contextlib.suppress(OSError):  # a folder with files stays
            for one in made:
                one.rmdir()


@contextmanager
def opened_alone(path: Path) -> Iterator[int | None]:
    """A descriptor of a file that no other process has opened by this function; None when one has.

    Also None where files can't be locked: on Windows a locked file can't be renamed, and some network file systems have
    no locks.
    """
    if sys.platform == "win32":
        yield None
        return
    with _locked(path) as descriptor:
        yield descriptor


@contextmanager
def _locked(path: Path, unlocked: bool = False) -> Iterator[int | None]:
    """A descriptor of the file with its lock; None when another process has it.

    Where the file system has no locks, None, or with ``unlocked`` the descriptor without a lock.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        _OPEN.add(descriptor)
        try:
            try:
                _try_lock(descriptor)
            except OSError as error:
                busy = error.errno in _BUSY
                if not busy and not unlocked and os.fstat(descriptor).st_size == 0:
                    with contextlib.suppress(OSError):
                        os.unlink(path)  # it was made for the lock that can't be had
                if busy or not unlocked:
                    yield None
                    return
            # Another process may have removed or renamed the file since it was opened: then try the new one.
            if _is_at(descriptor, path):
                yield descriptor
                return
        finally:
            _OPEN.discard(descriptor)
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    try:
        return path.read_bytes()[:32].decode("ascii", "replace").strip("\0 \n") or "unknown"
    except OSError:
        return "unknown"
