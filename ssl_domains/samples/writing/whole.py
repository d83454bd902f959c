"""Atomic writing: a file is written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ssl_domains.errors import disk_is_full
from ssl_domains.samples.writing.lock import opened_alone

__all__ = ["sync_folder", "write_whole"]

_PREFIX = ".writing-"
_SPARE_BYTES = 1 << 16


def write_whole(path: str | Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name in its folder, force it to the disk, then rename it.

    After a crash, a power cut or with a full disk, the old file is unchanged or the new one is complete. The temporary
    file is removed when writing fails. If the process is killed it may stay; the next call for the same path takes it
    over. Two processes may write the same path at once: each writes a temporary file of its own, and the last one
    holds. A link is followed: the file that it names is replaced. The new file has the permissions of the old one.

    Args:
        path: The file; its folder must exist.
        write: Function that writes the contents to the path it gets, which has the suffix of ``path``.

    Raises:
        OSError: As ``write`` or the renaming raises it; of a full disk also where ``write`` raises something else.

    Example:
        >>> write_whole(Path("notes.txt"), lambda part: part.write_text("all of it"))     # doctest: +SKIP
    """
    path = Path(os.path.realpath(path))
    with _temporary(path) as temporary:
        try:
            write(temporary)
            _sync(temporary)
            with contextlib.suppress(FileNotFoundError):
                os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
            os.replace(temporary, path)
        except BaseException as error:
            full = _full_disk(temporary) if isinstance(error, Exception) and not disk_is_full(error) else None
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            if full is not None:
                raise full from error
            raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk: without this, a power cut could undo a rename."""
    with contextlib.suppress(OSError):  # some systems can't open a folder
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """A temporary name for this call alone; usually the same one, so that what a killed process left is reused."""
    usual = path.with_name(f"{_PREFIX}{path.name}")
    with opened_alone(usual) as descriptor:
        if descriptor is not None:
            yield usual
        else:
            yield path.with_name(f"{_PREFIX}{os.getpid()}-{threading.get_ident()}-{path.name}")


def _full_disk(path: Path) -> OSError | None:
    """The error of a full disk, if writing on to a file fails by it: some libraries don't say why a write failed."""
    try:
        with path.open("ab") as file:
            file.write(bytes(_SPARE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error if disk_is_full(error) else None
    return None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
