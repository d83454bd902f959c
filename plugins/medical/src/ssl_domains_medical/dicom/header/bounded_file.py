"""A file whose reads ask for no more bytes than it has, so that a header of giant lengths reserves no memory."""

from __future__ import annotations

import io
import os
from pathlib import Path

__all__ = ["BoundedFile"]


class BoundedFile(io.BufferedReader):
    """A file opened for reading, as ``open(path, "rb")``, whose `read` reserves at most what is left of the file.

    Python reserves all bytes that ``read(n)`` asks for before it reads the first one, and pydicom asks for what the
    header states.

    Args:
        path: The file.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(io.FileIO(path))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """The next ``size`` bytes, fewer at the end of the file; all that is left for None or −1."""
        left = max(0, self._size - self.tell())
        return super().read(left if size is None or size < 0 else min(size, left))
