"""Score each labelled voxel once, where samples overlap: in the sample whose centre is nearest.

Samples that are regions of one array may show the same voxel: patches whose stride is smaller than their side, or
patches along two directions that cross. Counted in each of them, such a voxel would weigh more than others in Dice and
accuracy. Here it counts in one sample; in all others its pixel reads as 255, which is ignored. Training keeps it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.probes.dense_data import DenseTargets
from ssl_domains.views import IGNORED

__all__ = ["OVERLAP", "MapPlaces", "repeated_pixels", "scored_once"]

OVERLAP = "test samples overlap"
"""How the sentence of `scored_once` begins."""

_CACHED = 2**25  # pixels of masks that are kept for the samples which are compared next


@dataclass(frozen=True)
class MapPlaces:
    """Where the label map of each sample lies in its array: a box of voxels, one voxel thick but for two axes.

    Attributes:
        arrays: Code of the array, int64 ``[n]``; maps in different arrays share nothing. −1 where it is not known.
        low: First voxel along each axis, int64 ``[n, rank]``.
        high: Voxel behind the last along each axis, int64 ``[n, rank]``.
        axes: Axes that run down the rows and along the columns of the map, int64 ``[n, 2]``.
    """

    arrays: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    axes: NDArray[np.int64]

    @classmethod
    def of_regions(
        cls, arrays: NDArray[np.int64], starts: NDArray[np.int64], stops: NDArray[np.int64], axes: NDArray[np.int64]
    ) -> MapPlaces:
        """Places of maps that lie in the middle of their region along every axis but two.

        Args:
            arrays: Code of the array, int64 ``[n]``.
            starts: First voxel of each region, int64 ``[n, rank]``.
            stops: Voxel behind the last, int64 ``[n, rank]``.
            axes: Axes of rows and columns, int64 ``[n, 2]``.
        """
        middle = starts + (stops - starts - 1) // 2
        along = np.zeros(starts.shape, dtype=np.bool_)
        np.put_along_axis(along, axes, True, axis=1)
        return cls(arrays, np.where(along, starts, middle), np.where(along, stops, middle + 1), axes)

    def __len__(self) -> int:
        return len(self.arrays)

    def take(self, rows: NDArray[np.int64]) -> MapPlaces:
        """The places of some rows."""
        return MapPlaces(self.arrays[rows], self.low[rows], self.high[rows], self.axes[rows])

    def overlapping(self) -> dict[int, NDArray[np.int64]]:
        """Row → the other rows whose maps share a voxel with it, ascending; rows that share none are left out."""
        found: dict[int, NDArray[np.int64]] = {}
        for code in np.unique(self.arrays[self.arrays >= 0]):
            found.update(self._overlapping(np.flatnonzero(self.arrays == code)))
        return found

    def _overlapping(self, rows: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
        """The same among rows of one array. Along the axis that tells them apart best, only near ones are compared."""
        low, high = self.low[rows], self.high[rows]
        longest = (high - low).max(axis=0)
        axis = int(np.argmax((high.max(axis=0) - low.min(axis=0)) / longest))
        order = np.argsort(low[:, axis], kind="stable")
        rows, low, high = rows[order], low[order], high[order]
        first = np.searchsorted(low[:, axis], low[:, axis] - longest[axis], side="right")
        last = np.searchsorted(low[:, axis], high[:, axis], side="left")
        found = {}
        for place, (start, stop) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
            near = (low[start:stop] < high[place]) & (high[start:stop] > low[place])
            shares = near.all(axis=1)
            shares[place - start] = False
            if shares.any():
                found[int(rows[place])] = np.sort(rows[start:stop][shares])
        return found


def scored_once(targets: DenseTargets, places: MapPlaces | None, test: NDArray[np.bool_]) -> tuple[DenseTargets, str]:
    """The targets, of which each labelled voxel is scored in one test sample.

    Args:
        targets: ``n`` masks.
        places: Where they lie, as long; None where samples share no voxel.
        test: Rows that will be scored, bool ``[n]``. Masks of other rows are as they were.

    Returns:
        The targets; and a sentence on the share of pixels that are left out, empty where there is none.
    """
    if places is None:
        return targets, ""
    rows = np.flatnonzero(test)
    left_out = repeated_pixels(places.take(rows), targets.native[rows])
    if not left_out:
        return targets, ""
    native = targets.native.without({int(rows[at]): np.packbits(pixels) for at, pixels in left_out.items()})
    lost = sum(int(pixels.sum()) for pixels in left_out.values())
    labelled = sum(int((targets.native[int(row)] != IGNORED).sum()) for row in rows)
    share = 100 * lost / labelled
    note = (
        f"{OVERLAP}: {share:.3g} % of their labelled pixels show a voxel that another test sample shows "
        "nearer to its centre; they are not scored, so that each voxel counts once"
    )
    return replace(targets, native=native), note


def repeated_pixels(places: MapPlaces, masks: Sequence[NDArray[np.integer[Any]]]) -> dict[int, NDArray[np.bool_]]:
    """Pixels whose voxel is scored in another sample.

    A voxel belongs to the sample in which it is labelled and whose centre is nearest, in voxels; of several at equal
    distance, to the first. Only the masks of samples that overlap are read, and few are in memory at a time.

    Args:
        places: Where ``n`` label maps lie.
        masks: Class of each pixel, ``[H, W]`` each; 255 is not labelled.

    Returns:
        Row → bool ``[H, W]``, true where a labelled pixel is left out; rows without such a pixel are not there.
    """
    read = _Recent(masks)
    boxes = [_Box(*box) for box in zip(places.low.tolist(), places.high.tolist(), places.axes.tolist(), strict=True)]
    found = {}
    for row, others in places.overlapping().items():
        labelled = read(row) != IGNORED
        out = np.zeros_like(labelled)
        for other in others.tolist():
            low, high = boxes[row].shared(boxes[other])
            further = boxes[row].distance_gained(boxes[other], low, high)
            nearer = further < 0 if row < other else further <= 0
            known = boxes[other].plane(read(other) != IGNORED, boxes[row], low, high)
            out[boxes[row].window(low, high)] |= nearer & known
        out &= labelled
        if out.any():
            found[row] = out
    return found


@dataclass(frozen=True)
class _Box:
    """The place of one map, in plain numbers: there are many pairs of maps, each with few voxels in common."""

    low: list[int]
    high: list[int]
    axes: tuple[int, int]

    def shared(self, other: _Box) -> tuple[list[int], list[int]]:
        """First voxel, and voxel behind the last, of what two maps share."""
        low = [max(pair) for pair in zip(self.low, other.low, strict=True)]
        return low, [min(pair) for pair in zip(self.high, other.high, strict=True)]

    def window(self, low: list[int], high: list[int]) -> tuple[slice, slice]:
        """Rows and columns of this map that show the voxels of a box."""
        down, right = self.axes
        first, second = self.low[down], self.low[right]
        return slice(low[down] - first, high[down] - first), slice(low[right] - second, high[right] - second)

    def plane(self, pixels: NDArray[np.bool_], like: _Box, low: list[int], high: list[int]) -> NDArray[np.bool_]:
        """The pixels of this map that show the voxels of a box, as they stand in another map."""
        part = pixels[self.window(low, high)]
        if self.axes == like.axes:
            return part
        ordered = part if self.axes[0] < self.axes[1] else part.T
        down, right = like.axes
        first, second = min(like.axes), max(like.axes)
        ordered = ordered.reshape(high[first] - low[first], high[second] - low[second])
        return ordered if down < right else ordered.T

    def distance_gained(self, other: _Box, low: list[int], high: list[int]) -> NDArray[np.int64]:
        """How much further the voxels of a box are from the centre of another map than from that of this one.

        In the layout of this map. The number is four times the difference of the squared distances,
        ``Σ (2v − b)² − (2v − a)²`` over the axes for a voxel ``v``, with ``a`` and ``b`` twice the two centres: whole
        numbers, without rounding.
        """
        down, right = self.axes
        constant, rates = 0, []
        for axis, first in enumerate(low):
            a = self.low[axis] + self.high[axis] - 1
            b = other.low[axis] + other.high[axis] - 1
            rates.append(4 * (a - b))
            constant += b * b - a * a
            if axis not in self.axes:
                constant += rates[axis] * first
        rows = rates[down] * np.arange(low[down], high[down]) + constant
        columns = rates[right] * np.arange(low[right], high[right])
        return rows[:, None] + columns[None, :]


class _Recent:
    """Reads masks by row, and keeps those that were read last."""

    def __init__(self, masks: Sequence[NDArray[np.integer[Any]]]) -> None:
        self._masks = masks
        self._kept: OrderedDict[int, NDArray[np.integer[Any]]] = OrderedDict()
        self._pixels = 0

    def __call__(self, row: int) -> NDArray[np.integer[Any]]:
        if row in self._kept:
            self._kept.move_to_end(row)
            return self._kept[row]
        mask = self._masks[row]
        self._kept[row] = mask
        self._pixels += mask.size
        while self._pixels > _CACHED and len(self._kept) > 1:
            self._pixels -= self._kept.popitem(last=False)[1].size
        return mask
