"""Windows of a number over rows, as intervals of ranks: whole numbers compare several times as fast as float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Window", "window"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_MISSING = -4  # twice a rank that lies outside every interval


@dataclass(frozen=True, eq=False)
class Window:
    """``abs(x_i − x_j) <= width`` as ``low_i <= rank_j <= high_i``; int16 where the ranks allow, else int32.

    Attributes:
        centres: ``[M]``, ``low + high``.
        reaches: ``[M]``, ``high − low``, −1 where no candidate is near.
        ranks: ``[N]``, twice the rank of the number among the candidates' numbers.
        known_anchors: bool ``[M]``.
        known_candidates: bool ``[N]``.
    """

    centres: Tensor
    reaches: Tensor
    ranks: Tensor
    known_anchors: Tensor
    known_candidates: Tensor

    graded = False

    def answer(self, asked: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        # In place on small whole numbers, which a CPU compares a vector at a time; into a bool it goes one by one.
        apart = (self.centres[i, None] - self.ranks[None, j]).abs_()
        near = apart.le_(self.reaches[i, None]).to(torch.bool)
        if asked:
            return near
        known = self.known_anchors[i, None], self.known_candidates[None, j]
        return near.logical_not_().logical_and_(known[0]).logical_and_(known[1])

    def weights(self, i: slice, j: slice) -> Tensor:
        """See `RowRule.weights`."""
        return self.answer(True, i, j).to(torch.float64)

    def to(self, device: torch.device | str) -> Window:
        """See `RowRule.to`."""
        parts = self.centres, self.reaches, self.ranks, self.known_anchors, self.known_candidates
        return Window(*(part.to(device) for part in parts))


def window(anchors: Floats, candidates: Floats, width: float) -> Window | None:
    """The window of finite numbers, NaN where missing; None where some are infinite, which have no distance."""
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


def _first(numbers: Floats, says: Callable[[Floats], NDArray[np.bool_]], n: int) -> Ints:
    """For each of ``n``, the first of the ascending numbers of which ``says`` holds; how many there are without one.

    The question is the rule's own subtraction, which rounding leaves monotone, so the answer is exact.
    """
    low, high = np.zeros(n, dtype=np.int64), np.full(n, len(numbers), dtype=np.int64)
    while (low < high).any():
        middle = (low + high) // 2
        yes = says(numbers[np.minimum(middle, len(numbers) - 1)])
        low, high = np.where((low < high) & ~yes, middle + 1, low), np.where(yes, np.minimum(middle, high), high)
    return low
