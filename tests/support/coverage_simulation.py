"""How often a 95 % interval holds the true value: simulated studies of groups × seeds.

``python tests/support/coverage_simulation.py`` prints the table for 40,000 studies of each size, with the interval of
this package and with the two that it replaced. A study is a table ``d[s, g] = group effect + seed effect + noise``
around a true value of 0. The seed share is the share of the seeds in the variance of groups and seeds together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ssl_domains.studies.evidence.random_effects import random_effects

Numbers = NDArray[np.float64]
Interval = Callable[[Numbers], tuple[Numbers, Numbers]]
"""Function of tables ``[runs, S, G]`` that returns the ends of their intervals, ``[runs]`` each."""

SIZES = ((4, 3), (6, 3), (8, 5), (40, 5))
"""(groups, seeds) at which a 95 % interval has to hold."""
SHARES = (0.0, 0.5, 0.9)
NOISE = 0.1
"""Variance of the noise of a single cell, beside 1 from its group and its seed."""
_AT_ONCE = 2000


def two_way(tables: Numbers) -> tuple[Numbers, Numbers]:
    """The interval of this package."""
    mean = tables.mean(axis=(1, 2))
    reach = random_effects(tables).reach()
    return mean - reach, mean + reach


def t_over_groups(tables: Numbers) -> tuple[Numbers, Numbers]:
    """The interval that was printed below ten groups: Student's t over groups, each a mean over fixed seeds."""
    by_group = tables.mean(axis=1)
    groups = by_group.shape[1]
    mean = by_group.mean(axis=1)
    reach = stats.t.ppf(0.975, groups - 1) * by_group.std(axis=1, ddof=1) / np.sqrt(groups)
    return mean - reach, mean + reach


def crossed_bootstrap(tables: Numbers, draws: int = 400) -> tuple[Numbers, Numbers]:
    """The interval that was printed from ten groups on: percentiles over resampled groups and seeds."""
    runs, seeds, groups = tables.shape
    rng = np.random.default_rng(7)
    of_groups = rng.multinomial(groups, np.full(groups, 1 / groups), size=draws) / groups
    of_seeds = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws) / seeds
    drawn = np.zeros((runs, draws))
    for seed in range(seeds):
        drawn += (tables[:, seed] @ of_groups.T) * of_seeds[:, seed]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
    return low, high


def warned_of_seeds(tables: Numbers) -> NDArray[np.bool_]:
    """Whether the crossed bootstrap was printed with a warning: seeds had more than half of the estimated variance."""
    of_seeds = tables.mean(axis=2).var(axis=1, ddof=1) / tables.shape[1]
    of_groups = tables.mean(axis=1).var(axis=1) / tables.shape[2]
    return np.asarray(of_seeds > of_groups)


def studies(runs: int, groups: int, seeds: int, seed_share: float, noise: float, rng: np.random.Generator) -> Numbers:
    """Tables ``[runs, S, G]`` with seed effects (variance ``seed_share``), group effects (the rest of 1) and noise."""
    of_group = np.sqrt(1 - seed_share) * rng.normal(size=(runs, 1, groups))
    of_seed = np.sqrt(seed_share) * rng.normal(size=(runs, seeds, 1))
    return of_group + of_seed + np.sqrt(noise) * rng.normal(size=(runs, seeds, groups))


def coverage(
    interval: Interval, groups: int, seeds: int, seed_share: float, *, runs: int, noise: float = NOISE
) -> float:
    """Share of simulated studies whose interval holds the true value, with a fixed seed."""
    rng = np.random.default_rng([2024, groups, seeds, round(100 * seed_share), round(100 * noise)])
    held = 0
    for start in range(0, runs, _AT_ONCE):
        low, high = interval(studies(min(_AT_ONCE, runs - start), groups, seeds, seed_share, noise, rng))
        held += int(((low <= 0) & (high >= 0)).sum())
    return held / runs


def main(runs: int = 40_000) -> None:
    """Print the table."""
    intervals = {"two-way": two_way, "t over groups": t_over_groups, "crossed bootstrap": crossed_bootstrap}
    print(f"{'groups × seeds':>15} {'seed share':>10} " + " ".join(f"{name:>18}" for name in intervals))
    for groups, seeds in (*SIZES, (221, 2)):
        for share in SHARES:
            each = [coverage(one, groups, seeds, share, runs=runs) for one in intervals.values()]
            print(
                f"{f'{groups} × {seeds}':>15} {share:>10} " + " ".join(f"{value:>18.3f}" for value in each), flush=True
            )


if __name__ == "__main__":
    main()
