"""The grid of a survey as labels need it, and labels that were placed on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError

__all__ = ["UNLABELLED", "LabelGrid", "PlacedLabels", "nearest", "span"]

UNLABELLED = 255
"""Class number of voxels without a label."""

_HALF = 0.5 + 1e-6  # of a step: a value this near to a line or a sample belongs to it


@dataclass(frozen=True)
class LabelGrid:
    """The lines, times and places of a survey.

    Attributes:
        inlines: Inline numbers, ascending.
        crosslines: Crossline numbers, ascending.
        ms: Times of the samples in ms (or depths in m), ascending.
        affine: float64 ``[2, 3]`` with ``[x, y] = affine @ [inline, crossline, 1]`` in the units of the files; None
            when the survey has no coordinates.
    """

    inlines: NDArray[np.int64]
    crosslines: NDArray[np.int64]
    ms: NDArray[np.float64]
    affine: NDArray[np.float64] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of inlines, crosslines and samples."""
        return self.inlines.size, self.crosslines.size, self.ms.size

    def lines_at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Inline and crossline numbers, with fractions, of map coordinates: float64 ``[2, points]``.

        Raises:
            ReadError: When the survey has no coordinates.
        """
        if self.affine is None:
            raise ReadError("it is in map coordinates, and the survey has none")
        lines: NDArray[np.float64] = np.linalg.solve(
            self.affine[:, :2], np.stack([x - self.affine[0, 2], y - self.affine[1, 2]])
        )
        return lines


@dataclass(frozen=True)
class PlacedLabels:
    """Class numbers of a part of the grid; everything else is `UNLABELLED`.

    Attributes:
        values: uint8 ``[inline, crossline, sample]``.
        inlines: Place of each inline of `values` in the grid.
        crosslines: The same for crosslines.
        samples: The same for samples.
    """

    values: NDArray[np.uint8]
    inlines: NDArray[np.int64]
    crosslines: NDArray[np.int64]
    samples: NDArray[np.int64]

    def on(self, grid: LabelGrid) -> NDArray[np.uint8]:
        """The labels of the whole grid, uint8 ``[inline, crossline, sample]``."""
        whole = np.full(grid.shape, UNLABELLED, dtype=np.uint8)
        whole[np.ix_(self.inlines, self.crosslines, self.samples)] = self.values
        return whole


def nearest(
    numbers: NDArray[np.generic], wanted: NDArray[np.float64], tolerance: float | None = None
) -> NDArray[np.int64]:
    """The place of the nearest of ascending numbers to each value; -1 where none is near enough, or the value is NaN.

    Args:
        numbers: Line numbers or times, ascending.
        wanted: Values.
        tolerance: Largest distance; None takes half the median step, and 0.5 where there is one number.
    """
    known = np.asarray(numbers, dtype=np.float64)
    if tolerance is None:
        tolerance = _HALF * float(np.median(np.diff(known))) if known.size > 1 else _HALF
    right = np.clip(np.searchsorted(known, wanted), 1 if known.size > 1 else 0, known.size - 1)
    left = np.maximum(right - 1, 0)
    place = np.where(np.abs(known[left] - wanted) <= np.abs(known[right] - wanted), left, right)
    near = np.abs(known[place] - wanted) <= tolerance  # NaN is near to nothing
    return np.where(near, place, -1).astype(np.int64)


def span(numbers: NDArray[np.generic]) -> str:
    """A range in words: ``"200 to 398"``."""
    return f"{numbers[0]:g} to {numbers[-1]:g}"
