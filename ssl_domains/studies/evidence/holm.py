"""Holm's correction of the p-values of several contrasts."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["holm"]


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values of a family (S. Holm, Scandinavian Journal of Statistics 6, 1979), in the given order.

    The i-th smallest of m values is multiplied by m − i + 1; the products are made non-decreasing and cut at 1. NaN
    stays NaN and is not counted in m.

    Args:
        p: Uncorrected p-values in [0, 1], or NaN.
    """
    known = sorted((value, place) for place, value in enumerate(p) if not math.isnan(value))
    out = [math.nan] * len(p)
    largest = 0.0
    for rank, (value, place) in enumerate(known):
        largest = max(largest, min(1.0, value * (len(known) - rank)))
        out[place] = largest
    return out
