"""Two-way random effects against literal loops in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ssl_domains.studies.evidence.random_effects import expected_effects, random_effects


def by_hand(d: list[list[float]]) -> tuple[float, float]:
    """(V, degrees of freedom) of d[s][g], sum by sum."""
    seeds, groups = len(d), len(d[0])
    mean = sum(map(sum, d)) / (seeds * groups)
    of_group = [sum(d[s][g] for s in range(seeds)) / seeds for g in range(groups)]
    of_seed = [sum(d[s]) / groups for s in range(seeds)]
    ms_g = seeds * sum((one - mean) ** 2 for one in of_group) / (groups - 1)
    ms_s = groups * sum((one - mean) ** 2 for one in of_seed) / (seeds - 1)
    rest = [d[s][g] - of_seed[s] - of_group[g] + mean for s in range(seeds) for g in range(groups)]
    ms_e = sum(one**2 for one in rest) / ((groups - 1) * (seeds - 1))
    scaled = max(ms_g + ms_s - ms_e, ms_g, ms_s)
    freedom = scaled**2 / (ms_g**2 / (groups - 1) + ms_s**2 / (seeds - 1) + ms_e**2 / ((groups - 1) * (seeds - 1)))
    return scaled / (groups * seeds), freedom


tables = st.tuples(st.integers(2, 5), st.integers(2, 9), st.integers(0, 2**32 - 1), st.floats(0, 5), st.floats(0, 5))


@settings(max_examples=60, deadline=None)
@given(tables)
def test_variance_and_freedom_are_those_of_the_sums_written_out(table: tuple[int, int, int, float, float]) -> None:
    seeds, groups, number, by_seed, by_group = table
    rng = np.random.default_rng(number)
    d = rng.normal(size=(seeds, groups)) + by_seed * rng.normal(size=(seeds, 1)) + by_group * rng.normal(size=groups)
    variance, freedom = by_hand(d.tolist())
    found = random_effects(d)
    assert float(found.error) == pytest.approx(math.sqrt(variance), rel=1e-10)
    assert float(found.freedom) == pytest.approx(freedom, rel=1e-9)
    reach = stats.t.ppf(0.975, freedom) * math.sqrt(variance)
    assert float(found.reach()) == pytest.approx(reach, rel=1e-9)
    p = 2 * stats.t.sf(abs(d.mean()) / math.sqrt(variance), freedom)
    assert float(found.p_value(d.mean())) == pytest.approx(p, rel=1e-8)
    detectable = (stats.t.ppf(0.975, freedom) + stats.t.ppf(0.8, freedom)) * math.sqrt(variance)
    assert float(found.detectable()) == pytest.approx(detectable, rel=1e-9)
    assert 0 <= float(found.seed_share) <= 1


def test_many_studies_at_once_are_each_alone() -> None:
    many = np.random.default_rng(0).normal(size=(3, 2, 4, 6))
    found = random_effects(many)
    for place in np.ndindex(3, 2):
        alone = random_effects(many[place])
        assert float(found.error[place]) == pytest.approx(float(alone.error), rel=1e-12)
        assert float(found.freedom[place]) == pytest.approx(float(alone.freedom), rel=1e-12)


def test_seeds_that_change_nothing_leave_a_t_test_over_groups() -> None:
    values = np.random.default_rng(4).normal(0.3, 1.0, size=7)
    found = random_effects(np.tile(values, (5, 1)))
    expected = stats.ttest_1samp(values, 0.0)
    assert float(found.freedom) == pytest.approx(6)
    assert float(found.p_value(values.mean())) == pytest.approx(expected.pvalue)
    assert float(found.seed_share) == 0.0


def test_groups_that_change_nothing_leave_a_t_test_over_seeds() -> None:
    values = np.random.default_rng(4).normal(0.3, 1.0, size=5)
    found = random_effects(np.tile(values[:, None], (1, 8)))
    assert float(found.freedom) == pytest.approx(4)
    assert float(found.p_value(values.mean())) == pytest.approx(stats.ttest_1samp(values, 0.0).pvalue)
    assert float(found.seed_share) == pytest.approx(1.0)


@settings(max_examples=40, deadline=None)
@given(tables, st.floats(1e-6, 1e6), st.floats(-100, 100))
def test_unit_and_origin_do_not_matter(table: tuple[int, int, int, float, float], unit: float, origin: float) -> None:
    seeds, groups, number, by_seed, by_group = table
    rng = np.random.default_rng(number)
    d = rng.normal(size=(seeds, groups)) + by_seed * rng.normal(size=(seeds, 1)) + by_group * rng.normal(size=groups)
    one, other = random_effects(d), random_effects(unit * (d + origin))
    assert float(other.error) == pytest.approx(unit * float(one.error), rel=1e-7)
    assert float(other.freedom) == pytest.approx(float(one.freedom), rel=1e-6)
    turned = random_effects(d[::-1, rng.permutation(groups)])
    assert float(turned.error) == pytest.approx(float(one.error), rel=1e-10)


def test_equal_numbers_have_no_error_and_no_p_value() -> None:
    found = random_effects(np.full((3, 5), 0.1 + 0.2), rounding=1e-13)
    assert float(found.error) == 0.0
    assert all(math.isnan(float(one)) for one in (found.freedom, found.reach(), found.detectable(), found.seed_share))
    assert math.isnan(float(found.p_value(np.float64(0.3))))


def test_p_is_never_zero() -> None:
    d = 1e6 + np.random.default_rng(0).normal(size=(5, 200))
    assert float(random_effects(d).p_value(d.mean())) > 0


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_one_seed_or_one_group_has_no_variance(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no variance of their own"):
        random_effects(np.zeros(shape))


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(11)
    noise = rng.normal(size=(4000, 1, 8)) + 0.5 * rng.normal(size=(4000, 5, 1))
    noise += 0.3 * rng.normal(size=(4000, 5, 8))
    true = math.sqrt(1 / 8 + 0.25 / 5 + 0.09 / 40) * 3.2
    p = random_effects(noise + true).p_value((noise + true).mean(axis=(1, 2)))
    typical = float(np.median(random_effects(noise).detectable()))
    assert typical == pytest.approx(true, rel=0.15)
    assert 0.7 < float((p < 0.05).mean()) < 0.9


def test_a_pilot_of_the_studys_own_size_expects_its_error() -> None:
    rng = np.random.default_rng(3)
    d = rng.normal(size=(5, 8)) + rng.normal(size=(5, 1)) + rng.normal(size=8)
    own, expected = random_effects(d), expected_effects(d, 5, 8)
    assert float(expected.error) == pytest.approx(float(own.error))
    assert float(expected.detectable()) == pytest.approx(float(own.detectable()))


def test_pilots_of_two_seeds_foretell_the_error_of_a_study_on_average() -> None:
    rng = np.random.default_rng(4)
    pilots = rng.normal(size=(4000, 2, 8)) + rng.normal(size=(4000, 2, 1)) + 0.5 * rng.normal(size=(4000, 1, 8))
    variance = np.square(expected_effects(pilots, 5, 8).error)
    # (noise 1 / 40) + (seeds 1 / 5) + (groups .25 / 8); negative estimates count as 0, which adds a little.
    assert variance.mean() == pytest.approx(1 / 40 + 1 / 5 + 0.25 / 8, rel=0.08)


def test_more_seeds_are_expected_to_find_less_only_where_seeds_differ() -> None:
    groups_alone = np.tile(np.random.default_rng(5).normal(size=8), (2, 1)) + np.array([[1e-3], [-1e-3]])
    few, many = (float(expected_effects(groups_alone, seeds, 8).error) for seeds in (3, 30))
    assert many == pytest.approx(few, rel=1e-3)
    with pytest.raises(ValueError, match="1 seeds and 8 groups"):
        expected_effects(groups_alone, 1, 8)
