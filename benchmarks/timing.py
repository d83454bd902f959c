"""Times of arms that take turns, and ratios of what ran side by side."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spread", "bootstrap_median", "interleave", "paired_ratio", "spread"]


@dataclass(frozen=True)
class Spread:
    """A median with the range it comes from.

    Attributes:
        median: Of the measurements.
        low: The smallest, or the lower end of an interval.
        high: The largest, or the upper end.
    """

    median: float
    low: float
    high: float


def interleave(
    arms: Mapping[str, Callable[[], object]],
    rounds: int,
    warm_up: int = 1,
    calls: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of each arm, round by round: what slows the machine for a while slows all of them.

    The order turns from round to round, so that no arm always runs in another's wake.

    Args:
        arms: What to run, by name.
        rounds: How often each is timed.
        warm_up: How often each runs before, untimed.
        calls: Calls of an arm in each round; their mean is its time. More than one where a call is short.
        clock: Returns seconds; ``time.process_time`` counts only this process.
    """
    names = list(arms)
    for _ in range(warm_up):
        for name in names:
            arms[name]()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            gc.collect()
            arm = arms[name]
            before = clock()
            for _ in range(calls):
                arm()
            seconds[name].append((clock() - before) / calls)
    return seconds


def spread(values: Sequence[float]) -> Spread:
    """Median, smallest and largest."""
    return Spread(float(np.median(values)), float(np.min(values)), float(np.max(values)))


def paired_ratio(numerator: Sequence[float], denominator: Sequence[float], level: float = 0.9) -> Spread:
    """Median of the ratios round by round, with its bootstrap interval."""
    return bootstrap_median(np.asarray(numerator) / np.asarray(denominator), level)


def bootstrap_median(values: Sequence[float] | NDArray[np.float64], level: float = 0.9, draws: int = 10_000) -> Spread:
    """Median and its percentile bootstrap interval."""
    found = np.asarray(values, dtype=np.float64)
    chosen = np.random.default_rng(0).integers(0, len(found), (draws, len(found)))
    medians = np.median(found[chosen], axis=1)
    low, high = np.quantile(medians, [(1 - level) / 2, (1 + level) / 2])
    return Spread(float(np.median(found)), float(low), float(high))
