"""Atomic writing: a file is written completely or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
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
    temporary = path.with_name(f".writing-{path.name}")
    try:
        write(temporary)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
