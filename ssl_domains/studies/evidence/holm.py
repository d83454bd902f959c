"""Holm's correction: several questions asked of one study."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["holm"]


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values of a family (S. Holm, Scandinavian Journal of Statistics 6, 1979), in the given order.

    The i-th smallest of m is multiplied by m − i + 1; none is smaller than one before it, none larger than 1. NaN
    stays NaN and does not count: an undefined contrast tests nothing.

    Args:
        p: In [0, 1], or NaN.
    """
    known = sorted((value, place) for place, value in enumerate(p) if not math.isnan(value))
    out = [math.nan] * len(p)
    largest = 0.0
    for rank, (value, place) in enumerate(known):
        largest = max(largest, min(1.0, value * (len(known) - rank)))
        out[place] = largest
    return out
