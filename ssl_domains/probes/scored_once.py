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
    found = {}
    for row, others in places.overlapping().items():
        own = read(row) != IGNORED
        out = np.zeros_like(own)
        for other in others.tolist():
            low = np.maximum(places.low[row], places.low[other])
            high = np.minimum(places.high[row], places.high[other])
            further = _distance(places, other, low, high) - _distance(places, row, low, high)
            nearer = further < 0 if row < other else further <= 0
            labelled = _box(read(other) != IGNORED, places, other, low, high)
            _put(out, places, row, low, high, nearer & labelled)
        out &= own
        if out.any():
            found[row] = out
    return found


def _distance(places: MapPlaces, row: int, low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
    """Four times the squared distance of each voxel of a box from the centre of a map: whole numbers, no rounding."""
    rank = len(low)
    total = np.zeros((1,) * rank, dtype=np.int64)
    for axis, (first, last) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        doubled = 2 * np.arange(first, last) - int(places.low[row, axis] + places.high[row, axis] - 1)
        total = total + (doubled * doubled).reshape([-1 if one == axis else 1 for one in range(rank)])
    return total


def _window(places: MapPlaces, row: int, low: NDArray[np.int64], high: NDArray[np.int64]) -> tuple[slice, slice]:
    """Rows and columns of a map that show the voxels of a box."""
    down, right = places.axes[row].tolist()
    first, last = (low - places.low[row]).tolist(), (high - places.low[row]).tolist()
    return slice(first[down], last[down]), slice(first[right], last[right])


def _box(
    pixels: NDArray[np.bool_], places: MapPlaces, row: int, low: NDArray[np.int64], high: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """The pixels of a map that show the voxels of a box, in the order of the array's axes."""
    down, right = places.axes[row].tolist()
    part = pixels[_window(places, row, low, high)]
    return (part if down < right else part.T).reshape((high - low).tolist())


def _put(
    pixels: NDArray[np.bool_],
    places: MapPlaces,
    row: int,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    box: NDArray[np.bool_],
) -> None:
    """Set the pixels of a map whose voxel in the box is true."""
    down, right = places.axes[row].tolist()
    first, second = sorted((down, right))
    plane = box.reshape(box.shape[first], box.shape[second])
    pixels[_window(places, row, low, high)] |= plane if down < right else plane.T


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
