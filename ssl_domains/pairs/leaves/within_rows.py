"""`within` over the rows of a batch: intervals of ranks, as whole numbers compare several times faster than float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.pairs.batch.tile_rule import Ungraded
from ssl_domains.pairs.binding.leaf import BatchValues
from ssl_domains.pairs.binding.protocols import RowRule

__all__ = ["Near", "Window", "near", "window"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_SMALL = 2**17  # pairs up to which subtracting all numbers takes less time than ranking them
_MISSING = -4  # twice the rank of a missing number: outside every interval


@dataclass(frozen=True, eq=False)
class Window(Ungraded):
    """``abs(x_i − x_j) <= width`` as ``low_i <= rank_j <= high_i``; int16 where the ranks allow, else int32.

    Attributes:
        centres: ``[M]``, ``low + high``.
        reaches: ``[M]``, ``high − low``, −1 where no candidate is within the width.
        ranks: ``[N]``, twice the rank of the number among the candidates' numbers.
        known_anchors: bool ``[M]``.
        known_candidates: bool ``[N]``.
    """

    centres: Tensor
    reaches: Tensor
    ranks: Tensor
    known_anchors: Tensor
    known_candidates: Tensor

    def answer(self, yes: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        # Compared in place, whole numbers stay whole numbers, which a CPU vectorises; a comparison into bool isn't.
        apart = (self.centres[i, None] - self.ranks[None, j]).abs_()
        near = apart.le_(self.reaches[i, None]).to(torch.bool)
        if yes:
            return near
        known = self.known_anchors[i, None], self.known_candidates[None, j]
        return near.logical_not_().logical_and_(known[0]).logical_and_(known[1])

    def to(self, device: torch.device | str) -> Window:
        """See `RowRule.to`."""
        parts = self.centres, self.reaches, self.ranks, self.known_anchors, self.known_candidates
        return Window(*(part.to(device) for part in parts))


@dataclass(frozen=True, eq=False)
class Near:
    """``abs(x_i − x_j) <= width`` by float64 subtraction; for infinite numbers, with decay, and for small batches.

    Attributes:
        anchors: float64 ``[M]``, NaN where missing.
        candidates: float64 ``[N]``, NaN where missing.
        width: At least 0.
        decay: Whether a match weighs ``1 − abs(x_i − x_j) / width``; only weights above 0 match.
    """

    anchors: Tensor
    candidates: Tensor
    width: float
    decay: bool = False

    @property
    def graded(self) -> bool:
        """See `RowRule.graded`."""
        return self.decay

    def answer(self, yes: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        if not self.decay:
            # Compared in place, which a CPU vectorises; a comparison into bool isn't.
            distance = self._distance(i, j)
            return (distance.le_(self.width) if yes else distance.gt_(self.width)).to(torch.bool)
        return self.weights(i, j).to(torch.bool) if yes else self._distance(i, j).div_(-self.width).add_(1) <= 0

    def weights(self, i: slice, j: slice) -> Tensor:
        """See `RowRule.weights`."""
        if not self.decay:
            return self.answer(True, i, j).to(torch.float64)
        return self._distance(i, j).div_(-self.width).add_(1).nan_to_num_(nan=0.0).clamp_min_(0)

    def to(self, device: torch.device | str) -> Near:
        """See `RowRule.to`."""
        return Near(self.anchors.to(device), self.candidates.to(device), self.width, self.decay)

    def _distance(self, i: slice, j: slice) -> Tensor:
        return (self.anchors[i, None] - self.candidates[None, j]).abs_()


def near(rows: BatchValues, values: Floats, width: float, decay: bool) -> RowRule:
    """The rule that two rows' numbers are within a width.

    Args:
        rows: The rows of a batch.
        values: One number for each row, NaN missing.
        width: At least 0.
        decay: Whether matches are weighed by their distance.
    """
    anchors, candidates = rows.split(values)
    ranked = None if decay or len(anchors) * len(candidates) <= _SMALL else window(anchors, candidates, width)
    return ranked or Near(torch.from_numpy(anchors), torch.from_numpy(candidates), width, decay)


def window(anchors: Floats, candidates: Floats, width: float) -> Window | None:
    """The window of finite numbers, NaN where missing; None where some are infinite."""
    if np.isinf(anchors).any() or np.isinf(candidates).any():
        return None
    known_a, known_c = ~np.isnan(anchors), ~np.isnan(candidates)
    numbers = np.unique(candidates[known_c])
    x = np.where(known_a, anchors, 0.0)
    with np.errstate(over="ignore"):
        low = _first(numbers, lambda y: x - y <= width, len(x))
        high = _first(numbers, lambda y: y - x > width, len(x)) - 1
    reaches = np.where(known_a, np.maximum(high - low, -1), -1)
    ranks = np.where(known_c, 2 * np.searchsorted(numbers, candidates), _MISSING)
    dtype = torch.int16 if 2 * len(numbers) < 2**15 + _MISSING else torch.int32
    centres, reached, ranked = (torch.from_numpy(values).to(dtype) for values in (low + high, reaches, ranks))
    return Window(centres, reached, ranked, torch.from_numpy(known_a), torch.from_numpy(known_c))


def _first(numbers: Floats, holds: Callable[[Floats], NDArray[np.bool_]], n: int) -> Ints:
    """For each of ``n`` rows, the place of the first ascending number for which ``holds``; their count without one.

    ``holds`` subtracts as the rule does. Rounding keeps a subtraction monotone, so the binary search is exact.
    """
    low, high = np.zeros(n, dtype=np.int64), np.full(n, len(numbers), dtype=np.int64)
    while (low < high).any():
        middle = (low + high) // 2
        yes = holds(numbers[np.minimum(middle, len(numbers) - 1)])
        low, high = np.where((low < high) & ~yes, middle + 1, low), np.where(yes, np.minimum(middle, high), high)
    return low
