"""95 % intervals hold the true value in 95 of 100 simulated studies; the formulas that were used before do not."""

from __future__ import annotations

import numpy as np
import pytest

from coverage_simulation import (
    SHARES,
    SIZES,
    Interval,
    coverage,
    crossed_bootstrap,
    studies,
    t_over_groups,
    two_way,
    warned_of_seeds,
)
from ssl_domains.studies.design.measures import BALANCED_ACCURACY
from ssl_domains.studies.evidence.estimate import estimate
from ssl_domains.studies.evidence.sums import Evidence

RUNS = 4000
NEEDED = 0.92


def too_low(interval: Interval, runs: int, needed: float) -> dict[tuple[int, int, float], float]:
    """The sizes and seed shares at which an interval covers less than it should."""
    found = {
        (groups, seeds, share): coverage(interval, groups, seeds, share, runs=runs)
        for groups, seeds in SIZES
        for share in SHARES
    }
    return {size: covered for size, covered in found.items() if covered < needed}


def test_the_interval_covers_at_every_size_and_share_of_seed_variance() -> None:
    assert too_low(two_way, RUNS, NEEDED) == {}


@pytest.mark.slow
def test_the_interval_covers_in_forty_thousand_studies() -> None:
    assert too_low(two_way, 40_000, 0.93) == {}


def test_it_is_no_wider_than_needed_where_there_is_little_noise() -> None:
    """An interval that is always wide would pass the tests above."""
    for groups, seeds in SIZES:
        for share in SHARES:
            assert coverage(two_way, groups, seeds, share, runs=RUNS) < 0.985
            assert coverage(two_way, groups, seeds, share, runs=RUNS, noise=0.0) < 0.97


def test_two_seeds_are_too_few_for_an_interval() -> None:
    assert min(coverage(two_way, 221, 2, share, runs=RUNS) for share in (0.0, 0.02, 0.5, 0.9)) > 0.85
    assert coverage(two_way, 221, 2, 0.5, runs=RUNS) < NEEDED


def test_t_over_groups_with_fixed_seeds_does_not_cover() -> None:
    low = too_low(t_over_groups, RUNS, NEEDED)
    assert {share for _, _, share in low} == {0.5, 0.9}
    assert low[8, 5, 0.9] < 0.55
    assert low[6, 3, 0.9] < 0.55


def test_the_crossed_bootstrap_does_not_cover() -> None:
    low = too_low(crossed_bootstrap, RUNS, NEEDED)
    assert low[40, 5, 0.9] < 0.88
    assert coverage(crossed_bootstrap, 40, 2, 0.5, runs=RUNS) < 0.75
    assert coverage(crossed_bootstrap, 221, 2, 0.5, runs=RUNS) < 0.65


def test_the_warning_of_the_bootstrap_was_missing_where_it_was_most_wrong() -> None:
    """Two seeds that agree by chance make the interval narrow and look harmless, both at once."""
    rng = np.random.default_rng(1)
    tables = studies(RUNS, 221, 2, 0.5, 0.1, rng)
    low, high = crossed_bootstrap(tables)
    held, warned = (low <= 0) & (high >= 0), warned_of_seeds(tables)
    assert (~warned).sum() > 200
    assert held[~warned].mean() < 0.3 < held[warned].mean()


def test_pooled_scores_cover_with_pseudo_values() -> None:
    """Balanced accuracy of groups that each hold mostly one class: many have no score of their own."""
    rng = np.random.default_rng(5)
    classes, rows, groups, seeds = 2, 10, 8, 5
    names = tuple(str(number) for number in range(groups))

    def study(groups: int, seeds: int) -> np.ndarray:
        skill = 0.7 + 0.08 * rng.normal(size=(1, groups)) + 0.04 * rng.normal(size=(seeds, 1))
        skill = np.clip(skill + 0.03 * rng.normal(size=(seeds, groups)), 0.02, 0.98)
        first = rng.binomial(rows, rng.beta(0.3, 0.3, size=groups))
        of_class = np.stack([first, rows - first], axis=1)
        right = rng.binomial(np.broadcast_to(of_class, (seeds, groups, classes)), skill[..., None])
        sums = np.zeros((seeds, groups, classes, classes))
        for one in range(classes):
            sums[..., one, one] = right[..., one]
            sums[..., one, 1 - one] = of_class[:, one] - right[..., one]
        return sums.reshape(seeds, groups, classes * classes)

    truth = float(BALANCED_ACCURACY.value(study(4000, 200).sum(axis=1)).mean())
    held = measured = single = 0
    for _ in range(600):
        sums = study(groups, seeds)
        single += int(np.isnan(BALANCED_ACCURACY.value(sums[0])).sum())
        found = estimate(Evidence(BALANCED_ACCURACY, sums, names, tuple(range(seeds))))
        measured += np.isfinite(found.low)
        held += found.low <= truth <= found.high
    assert single > 600
    assert measured > 590
    assert held / measured > 0.93
