"""Features of many rows that are made batch by batch: in memory when they are few, else in a file that is mapped."""

from __future__ import annotations

import tempfile
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import write_errors

__all__ = ["FeatureRows"]

_IN_MEMORY_BYTES = 64 << 20


class FeatureRows:
    """Features ``[n, F]`` of rows that come in order.

    A million vectors of 64 numbers take 256 MB. Above 64 MB they go to a temporary file, so that the operating system
    may take them out of memory. The file has no name, and its space is freed when the last array that maps it is gone.

    Use it as ``with FeatureRows(n, F) as rows: rows.append(batch); …; made = rows.array()``.

    Args:
        count: ``n``.
        width: ``F``.
    """

    def __init__(self, count: int, width: int) -> None:
        self._shape = (count, width)
        self._file: IO[bytes] | None = None
        self._memory: NDArray[np.float32] | None = None
        if 4 * count * width <= _IN_MEMORY_BYTES:
            self._memory = np.zeros(self._shape, dtype=np.float32)
        self._done = 0

    def __enter__(self) -> Self:
        if self._memory is None:
            with write_errors("the features, in a temporary file,"):
                self._file = tempfile.TemporaryFile(prefix="ssl-domains-")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()  # arrays that map it stay valid

    def append(self, features: NDArray[Any]) -> None:
        """Add the features of the next rows, ``[m, F]``.

        Raises:
            ResourceError: When the disk of temporary files is full.
        """
        until = self._done + len(features)
        if self._memory is not None:
            self._memory[self._done : until] = features
        else:
            assert self._file is not None, "rows are added inside the with block"
            with write_errors("the features, in a temporary file,"):
                self._file.write(np.ascontiguousarray(features, dtype=np.float32).data.cast("B"))
        self._done = until

    def array(self) -> NDArray[np.float32]:
        """All features, float32 ``[n, F]``; what is written into the array doesn't reach the file.

        Raises:
            RuntimeError: When some rows are missing.
        """
        if self._done != self._shape[0]:
            raise RuntimeError(f"features of {self._done} rows of {self._shape[0]}")
        if self._memory is not None:
            return self._memory
        assert self._file is not None, "the array is made inside the with block"
        with write_errors("the features, in a temporary file,"):
            self._file.flush()
        return np.memmap(self._file, dtype=np.float32, mode="c", shape=self._shape)
