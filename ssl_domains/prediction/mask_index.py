"""The index of a folder of masks: for each sample its file and the pixels of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import SampleTable

__all__ = ["MaskIndex"]


class MaskIndex:
    """Collects where the mask of each sample is, and how many pixels of each class it has.

    Args:
        samples: Number of rows ``n`` of the table.
        numbers: Class number of each of the ``C`` classes.
    """

    def __init__(self, samples: int, numbers: Sequence[int]) -> None:
        self._numbers = np.array(numbers, dtype=np.int64)
        self._files: list[str] = []
        self._file_of = np.full(samples, -1, dtype=np.int64)
        self._counts = np.zeros((samples, len(numbers)), dtype=np.int64)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Positions of the samples whose mask was written, in the order of the table."""
        return np.flatnonzero(self._file_of >= 0)

    @property
    def files(self) -> int:
        """Number of files that hold masks."""
        return len(self._files)

    def count(self, row: int, mask: NDArray[np.uint8]) -> None:
        """Count the pixels of a mask of class numbers, uint8 ``[H, W]``."""
        self._counts[row] = np.bincount(mask.ravel(), minlength=256)[self._numbers]

    def add(self, name: str, rows: Sequence[int]) -> None:
        """Record that the masks of some rows are in a file."""
        self._file_of[np.array(rows, dtype=np.int64)] = len(self._files)
        self._files.append(name)

    def pixels(self, rows: Sequence[int]) -> NDArray[np.int64]:
        """Pixels of each class in the masks of some rows together, int64 ``[C]``."""
        return np.asarray(self._counts[np.array(rows, dtype=np.int64)].sum(axis=0))

    def frame(self, table: SampleTable, classes: Sequence[str], trained: NDArray[np.bool_]) -> pl.DataFrame:
        """The index as a table: ``sample``, ``path``, ``volume``, ``slice``, ``predicted_mask``, ``pixels_CLASS``,
        ``trained_on``; of the first four those that the sample table has."""
        at = self.rows
        named = [name for name in ("sample", "path", "volume", "slice") if name in table.columns]
        columns: list[Any] = [table.frame[name][at] for name in named]
        files = [self._files[number] for number in self._file_of[at].tolist()]
        columns.append(pl.Series("predicted_mask", files, dtype=pl.String))
        for k, name in enumerate(classes):
            columns.append(pl.Series(f"pixels_{name}", self._counts[at, k]))
        return pl.DataFrame([*columns, pl.Series("trained_on", trained[at])])
