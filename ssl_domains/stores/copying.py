"""The announcement of how many bytes a filling will copy, before it copies them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import ResourceError, SslDomainsError
from ssl_domains.samples import LazyArray, Reader, SizedReader

__all__ = ["Announcement", "Notice", "readable_bytes"]

Notice = Callable[[str], None]


class Announcement:
    """Says once how many bytes will be copied: exactly if the reader knows it, else an estimate from the first file.

    Args:
        folder: Folder of the store.
        reader: The reader; one with ``nbytes`` knows the sizes.
        rows: Number of rows to decode.
        notice: Called with the sentence.
    """

    def __init__(self, folder: Path, reader: Reader, rows: int, notice: Notice) -> None:
        self._folder, self._reader, self._rows, self._notice = folder, reader, rows, notice
        self._said = False

    def exact(self, rows: Iterator[Mapping[str, Any]]) -> None:
        """Add up the sizes of all rows, if the reader knows them.

        Raises:
            ResourceError: When the disk has less space than that.
        """
        if not isinstance(self._reader, SizedReader):
            return
        total, unknown = 0, 0
        for row in rows:
            try:
                total += int(self._reader.nbytes(row))
            except SslDomainsError:
                raise
            except Exception:  # the row may be unreadable: decoding will find its cause
                unknown += 1
        self._said = True
        if not total:
            return
        free = shutil.disk_usage(self._folder).free
        needed = readable_bytes(total)
        if total > free:
            cause = f"the store {self._folder.name} needs {needed}, the disk has {readable_bytes(free)} free"
            raise ResourceError(cause, "free some space, or give a store on another disk: nothing was written")
        self._notice(f"copying {'at least ' if unknown else ''}{needed} into {self._folder.name}")

    def estimate(self, arrays: Sequence[NDArray[np.generic] | LazyArray | str]) -> None:
        """Estimate the bytes from the decoded arrays of a file, before they are written."""
        sizes = [array.nbytes for array in arrays if isinstance(array, np.ndarray)]
        if self._said or not sizes:
            return
        self._said = True
        copied = sum(sizes) / len(arrays)
        self._notice(f"copying about {readable_bytes(copied * self._rows)} into {self._folder.name}")


def readable_bytes(count: float) -> str:
    """A number of bytes with a unit of powers of 1000: ``readable_bytes(1_234_567)`` is ``1.2 MB``."""
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while count >= 999.5 and len(units) > 1:
        count, units = count / 1000, units[1:]
    return f"{count:.0f} {units[0]}" if units[0] == "bytes" or count >= 99.5 else f"{count:.1f} {units[0]}"
