"""Refuse a file or folder that can't be written, before the work whose result it is to hold."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ssl_domains.errors import UsageError, disk_is_full
from ssl_domains.samples.writing.failures import write_errors

__all__ = ["require_folder", "require_target"]


def require_target(path: str | Path, *, inputs: Iterable[str | Path | None] = ()) -> None:
    """Refuse a file that can't be written, and make its folder.

    Args:
        path: The file.
        inputs: Files that the work reads and doesn't mean to replace; None and files that are not there count nothing.

    Raises:
        UsageError: When the path is a folder, a device, a read-only file or one of ``inputs``, or its folder can't be
            made or written to.
        ResourceError: When the disk is full.
    """
    path = Path(path)
    shown = repr(str(path))
    with write_errors(shown):
        if path.is_dir():
            raise UsageError(f"{shown} is a folder, not a file", f"name a file, such as {str(path / 'NAME')!r}")
        if path.exists() and not path.is_file():
            raise UsageError(f"{shown} is no regular file", "name a file")
        if path.exists() and not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            raise UsageError(f"{shown} is read-only", "name another file, or make it writable")
        if path.exists() and any(path.samefile(one) for one in inputs if one is not None and Path(one).exists()):
            raise UsageError(f"{shown} is read here, and would be replaced by what is made of it", "name another file")
        _make(path.parent, shown)
        _try_to_write(path.parent, shown)


def require_folder(folder: str | Path, *, new: bool = False) -> None:
    """Refuse a folder that can't be written to, or can't be made. Nothing is made.

    Args:
        folder: The folder, there or not.
        new: Refuse one that holds files already.

    Raises:
        UsageError: When the path is a file, the folder can't be written to, or holds files and ``new`` is true.
        ResourceError: When the disk is full.
    """
    folder = Path(folder)
    shown = repr(str(folder))
    with write_errors(shown):
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{shown} is a file, not a folder", "name a folder")
        if new and folder.is_dir() and any(folder.iterdir()):
            raise UsageError(f"{shown} is already there and holds files", "name a new folder")
        there = folder.absolute()
        while not there.exists() and there != there.parent:
            there = there.parent
        if not there.is_dir():
            raise UsageError(f"{shown} can't be made: {str(there)!r} is a file", "choose another place")
        _try_to_write(there, shown)


def _make(folder: Path, shown: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if disk_is_full(error):
            raise
        raise _refusal(shown, error) from error


def _try_to_write(folder: Path, shown: str) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if disk_is_full(error):
            raise
        raise _refusal(shown, error) from error


def _refusal(shown: str, error: OSError) -> UsageError:
    return UsageError(f"{shown} can't be written: {error.strerror}", "choose a folder that you may write to")
