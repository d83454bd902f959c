"""Files mapped into memory, one mapping for each file and process."""

from __future__ import annotations

import mmap
import os
from functools import lru_cache

__all__ = ["mapped_file"]

MOST = 64  # mappings that are kept; one more closes the one that was not used for the longest time


def mapped_file(path: str, status: os.stat_result | None = None) -> mmap.mmap:
    """The file's bytes, read-only, of its present size.

    The file is looked up at each call. If it was replaced, truncated or written to since the last call, it is mapped
    anew.

    Args:
        path: The file.
        status: What ``os.stat`` has just said of it, for a caller that needs it too; None to look it up here.

    Raises:
        OSError: When the file can't be opened.
        ValueError: When it is empty.
    """
    found = os.stat(path) if status is None else status
    return _mapping(path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=MOST)
def _mapping(path: str, device: int, inode: int, size: int, modified: int) -> mmap.mmap:
    """Map a file; the arguments that name its present state tell a changed file from the mapped one."""
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
