"""Atomic writing: a file is written completely or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from ssl_domains.errors import UsageError

__all__ = ["require_target", "write_whole"]


def require_target(path: str | Path) -> None:
    """Refuse a file that can't be written, before the work whose result it is to hold; makes its folder.

    Raises:
        UsageError: When the path is a folder, or its folder can't be made or written to.
    """
    path = Path(path)
    if path.is_dir():
        raise UsageError(f"{str(path)!r} is a folder, not a file", f"name a file, such as {str(path / 'NAME')!r}")
    probe = path.with_name(f".writing-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        existed = probe.exists()
        with probe.open("ab"):
            pass
        if not existed:
            probe.unlink()
    except OSError as error:
        hint = "choose a folder that you may write to"
        raise UsageError(f"{str(path)!r} can't be written: {error.strerror}", hint) from error


def write_whole(path: str | Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name in its folder, then rename it.

    After a crash or with a full disk, the old file is unchanged. The temporary file is removed when writing fails. If
    the process is killed it may stay, and the next call for the same path overwrites it.

    Args:
        path: The file; its folder must exist.
        write: Function that writes the contents to the path it gets, which has the suffix of ``path``.

    Raises:
        OSError: As ``write`` or the renaming raises it.

    Example:
        >>> write_whole(Path("notes.txt"), lambda part: part.write_text("all of it"))     # doctest: +SKIP
    """
    path = Path(path)
    temporary = path.with_name(f".writing-{path.name}")
    try:
        write(temporary)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
