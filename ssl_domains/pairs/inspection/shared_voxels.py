"""How many voxels the two samples of a positive pair have in common, where samples are regions of arrays.

Two crops that are shifted by a few voxels are one picture augmented by a shift: an encoder learns from them what it
would learn from the views of a sample.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import Regions

__all__ = ["DISGUISE", "SharedVoxels", "pair_shares"]

DISGUISE = 0.5
"""Mean share of voxels above which positives are said to be augmentation in disguise."""

_PAIRS = 2**18  # pairs at a time


def pair_shares(regions: Regions, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shared voxels of pairs of rows, as a share of the smaller region of each pair, float64 ``[n]``.

    It is 0 for regions of different arrays, and NaN where a region is not known.
    """
    low = np.maximum(regions.starts[i], regions.starts[j])
    high = np.minimum(regions.stops[i], regions.stops[j])
    sizes = regions.sizes()
    smaller = np.maximum(np.minimum(sizes[i], sizes[j]), 1)
    shares = np.maximum(high - low, 0).prod(axis=1) / smaller
    shares[regions.arrays[i] != regions.arrays[j]] = 0.0
    shares[(regions.arrays[i] < 0) | (regions.arrays[j] < 0)] = np.nan
    return np.asarray(shares)


class SharedVoxels:
    """Adds up the shares of the positive pairs of one relation.

    Args:
        regions: The regions of the table's rows.
    """

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._sum = 0.0
        self._pairs = 0

    def add(self, anchors: NDArray[np.int64], samples: NDArray[np.int64], positive: NDArray[np.bool_]) -> None:
        """Count the positives of a block of pairs.

        Args:
            anchors: Rows, int64 ``[a]``.
            samples: Rows, int64 ``[b]``.
            positive: bool ``[a, b]``.
        """
        a, b = np.nonzero(positive)
        for start in range(0, len(a), _PAIRS):
            part = slice(start, start + _PAIRS)
            shares = pair_shares(self._regions, anchors[a[part]], samples[b[part]])
            known = shares[np.isfinite(shares)]
            self._sum += float(known.sum())
            self._pairs += len(known)

    @property
    def mean(self) -> float | None:
        """Mean share over the positive pairs whose regions are known; None without any."""
        return self._sum / self._pairs if self._pairs else None
