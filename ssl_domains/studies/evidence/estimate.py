"""The score of an arm with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.studies.evidence.interval import interval_around
from ssl_domains.studies.evidence.jackknife import pseudo_values
from ssl_domains.studies.evidence.sums import Evidence, in_common

__all__ = ["Estimate", "estimate", "score_of"]


@dataclass(frozen=True)
class Estimate:
    """A score with its interval.

    Attributes:
        value: The score of all groups together, mean over seeds; NaN when undefined.
        low: Lower end of the interval; NaN when there is none.
        high: Upper end.
        method: How the interval was computed, or why there is none, as text.
        notes: Remarks, such as groups that were left out.
    """

    value: float
    low: float
    high: float
    method: str
    notes: tuple[str, ...] = ()


def estimate(one: Evidence, *, level: float = 0.95) -> Estimate:
    """The score of an arm over all groups together, mean over seeds, with its interval over groups and seeds.

    Args:
        one: The sums of the arm.
        level: Level of the interval, in (0, 1).

    Raises:
        ValueError: When no group was measured with every seed.
    """
    common = in_common([one])
    (sums,) = common.sums
    value = float(one.measure.value(sums.sum(axis=1)).mean())
    if math.isnan(value):
        note = f"{one.measure.name} is undefined over these groups"
        return Estimate(value, math.nan, math.nan, "no interval: the score is undefined", (*common.notes, note))
    numbers = pseudo_values(one.measure, sums)
    found = interval_around(value, numbers, _largest(numbers), level)
    return Estimate(value, found.low, found.high, found.method, (*common.notes, *found.notes))


def score_of(one: Evidence) -> float:
    """The value of `estimate` without the interval; NaN when undefined."""
    return float(one.measure.value(one.sums[:, one.measured].sum(axis=1)).mean())


def _largest(numbers: NDArray[np.float64]) -> float:
    return float(np.abs(numbers).max(initial=0.0))
