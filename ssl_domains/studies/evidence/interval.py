"""Interval, p-value and smallest detectable value of a mean over groups and seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.studies.evidence.least_seeds import SEEDS_FOR_INTERVAL, SEEDS_FOR_P_VALUE
from ssl_domains.studies.evidence.random_effects import random_effects

__all__ = ["Interval", "interval_around"]

_MOST_OF_IT = 0.5


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; every number is NaN when it is undefined.

    Attributes:
        low: Lower end.
        high: Upper end.
        p: Two-sided p-value against 0, never 0; undefined below `SEEDS_FOR_P_VALUE` seeds.
        detectable: Smallest true value that a study of this size finds with 80 % power (two-sided, 5 %).
        freedom: Degrees of freedom of t.
        seed_share: Estimated share of the variance that comes from the seeds, 0 … 1.
        method: How it was computed, or why there is none, as text.
        notes: Remarks.
    """

    low: float
    high: float
    p: float
    detectable: float
    freedom: float
    seed_share: float
    method: str
    notes: tuple[str, ...] = ()


def interval_around(value: float, numbers: NDArray[np.float64], size: float, level: float = 0.95) -> Interval:
    """The interval of a score, or of a difference of scores, by two-way random effects; see `random_effects`.

    Args:
        value: The score or difference over all groups, mean over seeds: the middle of the interval.
        numbers: Pseudo-values, or differences of pseudo-values, float64 ``[S, G]``.
        size: Largest absolute pseudo-value of the arms, against which rounding errors are judged.
        level: Level of the interval, in (0, 1).
    """
    seeds, groups = numbers.shape
    if seeds < SEEDS_FOR_INTERVAL:
        return _none(f"no interval: it needs {SEEDS_FOR_INTERVAL} seeds, and there {_are(seeds)}")
    if groups < 2:
        return _none("no interval: it needs two groups, and there is one")
    if not np.isfinite(numbers).all():
        return _none("no interval: the score is undefined without one of the groups")
    found = random_effects(numbers, rounding=1e-13 * size)
    method = f"two-way random effects over {groups:,} groups × {seeds} seeds"
    if found.error == 0.0:
        p = 1.0 if value == 0.0 and seeds >= SEEDS_FOR_P_VALUE else math.nan
        note = "nothing differs between groups or seeds"
        return Interval(value, value, p, math.nan, math.nan, math.nan, method, (note,))
    reach, share = float(found.reach(level)), float(found.seed_share)
    p = float(found.p_value(value)) if seeds >= SEEDS_FOR_P_VALUE else math.nan
    notes = (
        (f"most of the uncertainty comes from the {seeds} seeds: more seeds would narrow the interval",)
        if share > _MOST_OF_IT
        else ()
    )
    return Interval(
        value - reach, value + reach, p, float(found.detectable()), float(found.freedom), share, method, notes
    )


def _none(method: str) -> Interval:
    return Interval(math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, method)


def _are(seeds: int) -> str:
    return "is one" if seeds == 1 else f"are {seeds}"
