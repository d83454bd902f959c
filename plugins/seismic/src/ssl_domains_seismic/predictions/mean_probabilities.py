"""Mean probabilities of a volume from those of its samples, summed up in a temporary file."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["MeanProbabilities", "temporary_bytes"]

_KEPT = 1 << 26  # bytes of the file that stay in this process before its pages are given back
_ZEROS = bytes(1 << 20)
_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}  # of file systems that can't reserve space


def temporary_bytes(sides: tuple[int, int, int], outputs: int) -> int:
    """Size of the temporary file, for a box of so many inlines, crosslines and samples."""
    return sides[0] * sides[1] * sides[2] * 4 * (outputs + 1)


class MeanProbabilities:
    """Sums of probabilities float32 ``[K, inline, crossline, sample]``, and the number of summands of each place.

    Both lie in a file without a name, which the system removes with the process, also when it is killed. Its space is
    taken at once, so that a full disk is an error here and no crash later.

    Args:
        folder: Folder whose disk holds the file.
        sides: Inlines, crosslines and samples.
        outputs: Number ``K`` of outputs of the model.

    Raises:
        OSError: When the disk is full.
    """

    def __init__(self, folder: Path, sides: tuple[int, int, int], outputs: int) -> None:
        self.sides, self.outputs = sides, outputs
        size = temporary_bytes(sides, outputs)
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file, size)
            self._map = mmap.mmap(file.fileno(), size)
        self._touched = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._map.close()

    def add(self, place: tuple[slice, slice, slice], block: NDArray[np.float32]) -> None:
        """Add the probabilities ``[K, inline, crossline, sample]`` of a part of the box."""
        self._sums()[:, *place] += block
        self._counts()[place] += 1
        self._give_back(2 * block.nbytes)

    def of_cells(self, cells: NDArray[np.int64], outputs: slice) -> tuple[NDArray[np.float32], NDArray[np.uint32]]:
        """Sums of some outputs in whole traces, and the number of summands.

        Args:
            cells: Number of each trace in the box, counted along crosslines first, int64 ``[n]``.
            outputs: The outputs.

        Returns:
            float32 ``[outputs, n, samples]`` and uint32 ``[n, samples]``.
        """
        traces = self.sides[0] * self.sides[1]
        sums = self._sums()[outputs].reshape(-1, traces, self.sides[2])[:, cells]
        counts = self._counts().reshape(traces, self.sides[2])[cells]
        self._give_back(sums.nbytes + counts.nbytes)
        return sums, counts

    def _sums(self) -> NDArray[np.float32]:
        return np.ndarray((self.outputs, *self.sides), dtype=np.float32, buffer=self._map)

    def _counts(self) -> NDArray[np.uint32]:
        start = temporary_bytes(self.sides, self.outputs - 1)
        return np.ndarray(self.sides, dtype=np.uint32, buffer=self._map, offset=start)

    def _give_back(self, touched: int) -> None:
        """Take pages out of this process from time to time; what was written stays in the file."""
        self._touched += touched
        if self._touched > _KEPT and hasattr(mmap, "MADV_DONTNEED"):
            self._touched = 0
            self._map.madvise(mmap.MADV_DONTNEED)


def _reserve(file: IO[bytes], size: int) -> None:
    """Take the space of an empty file on the disk; it reads as zeros.

    Raises:
        OSError: When the disk is full.
    """
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except (AttributeError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _UNSUPPORTED:
            raise
        for start in range(0, size, len(_ZEROS)):
            file.write(_ZEROS[: size - start])
        file.flush()
