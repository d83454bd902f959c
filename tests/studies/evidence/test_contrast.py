"""Scores and paired differences with their intervals: what they are of, and when there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ssl_domains.studies.design.measures import ACCURACY, BALANCED_ACCURACY, MEAN_DICE
from ssl_domains.studies.evidence.contrast import Contrast, contrast
from ssl_domains.studies.evidence.estimate import estimate, score_of
from ssl_domains.studies.evidence.jackknife import pseudo_values
from ssl_domains.studies.evidence.random_effects import random_effects
from ssl_domains.studies.evidence.sums import Evidence


@dataclass(frozen=True)
class Mean:
    """The mean over groups of one number each: sums are (number, 1)."""

    name: str = "mean"

    def value(self, sums: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return sums[..., 0] / sums[..., 1]


def names(count: int) -> tuple[str, ...]:
    return tuple(f"g{number}" for number in range(count))


def of_numbers(values: np.ndarray) -> Evidence:
    """Evidence of one number for each seed and group ``[S, G]``."""
    seeds, groups = values.shape
    return Evidence(Mean(), np.stack([values, np.ones_like(values)], axis=2), names(groups), tuple(range(seeds)))


def of_counts(rng: np.random.Generator, seeds: int, groups: int, skill: float, classes: int = 3) -> Evidence:
    shares = np.full((classes, classes), (1 - skill) / classes) + skill * np.eye(classes)
    sums = rng.multinomial(12, (shares / shares.sum()).ravel(), size=(seeds, groups)).astype(float)
    return Evidence(BALANCED_ACCURACY, sums, names(groups), tuple(range(seeds)))


def brute_balanced(counts: np.ndarray) -> float:
    table = counts.reshape(3, 3)
    recalls = [table[c, c] / table[c].sum() for c in range(3) if table[c].sum()]
    return sum(recalls) / len(recalls) if len(recalls) > 1 else math.nan


@pytest.mark.parametrize("groups", [6, 12])
def test_the_difference_is_the_mean_over_seeds_of_scores_of_all_groups(groups: int) -> None:
    rng = np.random.default_rng(3)
    a, b = of_counts(rng, 3, groups, 0.6), of_counts(rng, 3, groups, 0.3)
    found = contrast(a, b)
    each = [[brute_balanced(sum(arm.sums[s, g] for g in range(groups))) for s in range(3)] for arm in (a, b)]
    np.testing.assert_allclose(found.per_seed, np.subtract(*each), rtol=0, atol=1e-14)
    assert found.a_value == pytest.approx(np.mean(each[0]), abs=1e-14)
    assert found.difference == pytest.approx(found.a_value - found.b_value, abs=1e-14)
    for g in range(groups):
        of_group = np.mean([brute_balanced(a.sums[s, g]) - brute_balanced(b.sums[s, g]) for s in range(3)])
        assert found.per_group[g] == pytest.approx(of_group, nan_ok=True, abs=1e-14)
    assert found.groups == a.groups
    assert found.seeds == (0, 1, 2)


def test_the_interval_is_that_of_the_differences_of_pseudo_values() -> None:
    rng = np.random.default_rng(5)
    a, b = of_counts(rng, 5, 11, 0.6), of_counts(rng, 5, 11, 0.4)
    found = contrast(a, b)
    effects = random_effects(pseudo_values(a.measure, a.sums) - pseudo_values(b.measure, b.sums))
    reach = float(effects.reach())
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (found.difference - reach, found.difference + reach)
    )
    assert found.interval.p == pytest.approx(float(effects.p_value(np.float64(found.difference))))
    assert found.interval.detectable == pytest.approx(float(effects.detectable()))
    assert found.interval.freedom == pytest.approx(float(effects.freedom))
    assert found.interval.method == "two-way random effects over 11 groups × 5 seeds"


def test_both_arms_are_measured_on_the_same_groups() -> None:
    """Groups differ wildly, and the arms by nearly a constant: only a paired difference shows it."""
    rng = np.random.default_rng(1)
    level = rng.normal(0, 10, size=(5, 30))
    found = contrast(of_numbers(level + 0.5 + 0.01 * rng.normal(size=(5, 30))), of_numbers(level))
    assert 0.48 < found.interval.low < 0.5 < found.interval.high < 0.52


def test_seeds_that_disagree_in_sign_give_no_small_p_value() -> None:
    """Three groups of seeds pull in different directions; a t test over groups, with these seeds fixed, is certain."""
    rng = np.random.default_rng(3)
    values = np.array([[0.09], [-0.02], [0.04], [0.05]]) + 0.004 * rng.normal(size=(4, 6))
    found = contrast(of_numbers(values), of_numbers(np.zeros((4, 6))))
    assert stats.ttest_1samp(values.mean(axis=0), 0.0).pvalue < 2e-5
    assert found.interval.p > 0.1
    assert found.interval.low < 0 < found.interval.high
    assert found.interval.seed_share > 0.9
    assert found.notes == ("most of the uncertainty comes from the 4 seeds: more seeds would narrow the interval",)


def test_a_p_value_needs_four_seeds_and_an_interval_three() -> None:
    rng = np.random.default_rng(9)
    for seeds in (1, 2, 3, 4, 5):
        values = 1 + 0.01 * rng.normal(size=(seeds, 6))
        found = contrast(of_numbers(values), of_numbers(np.zeros((seeds, 6))))
        assert math.isfinite(found.interval.p) == (seeds >= 4)
        assert math.isfinite(found.interval.low) == (seeds >= 3)
        assert math.isfinite(found.interval.detectable) == (seeds >= 3)
        assert found.difference == pytest.approx(1, abs=0.05)
        alone = estimate(of_numbers(values))
        assert math.isfinite(alone.low) == (seeds >= 3)
    one, two = (contrast(*[of_numbers(np.eye(seeds, 6))] * 2).interval.method for seeds in (1, 2))
    assert one == "no interval: it needs 3 seeds, and there is one"
    assert two == "no interval: it needs 3 seeds, and there are 2"


def test_groups_of_one_class_count_and_are_remarked_on() -> None:
    rng = np.random.default_rng(7)
    a, b = of_counts(rng, 5, 8, 0.7), of_counts(rng, 5, 8, 0.4)
    for one in (a, b):
        one.sums[:, 3, 3:] = 0  # rows of the first class alone
    found = contrast(a, b)
    assert np.isnan(found.per_group).tolist() == [g == 3 for g in range(8)]
    assert found.notes[0] == "1 of 8 groups have no balanced accuracy of their own; they count in the whole"
    assert math.isfinite(found.interval.p)
    without = contrast(*(Evidence(one.measure, np.delete(one.sums, 3, axis=1), names(7), one.seeds) for one in (a, b)))
    assert without.difference != found.difference


def test_the_only_group_of_a_class_leaves_no_interval() -> None:
    sums = np.zeros((5, 12, 4))
    sums[..., 0] = 5
    sums[:, 0] = 2, 1, 1, 2
    other = sums.copy()
    other[:, :, 1] += np.arange(12) % 3
    a, b = (Evidence(BALANCED_ACCURACY, one, names(12), tuple(range(5))) for one in (sums, other))
    found = contrast(a, b)
    assert found.interval.method == "no interval: the score is undefined without one of the groups"
    assert math.isfinite(found.difference)
    assert math.isnan(found.interval.p)


def test_a_value_that_is_nowhere_defined_is_nan_and_said() -> None:
    sums = np.zeros((5, 12, 4))
    sums[..., 0] = 3
    one = Evidence(BALANCED_ACCURACY, sums, names(12), tuple(range(5)))
    found = contrast(one, one)
    numbers = (found.difference, found.interval.low, found.interval.high, found.interval.p, found.interval.detectable)
    assert all(math.isnan(value) for value in numbers)
    assert "balanced accuracy is undefined over these groups" in found.notes
    alone = estimate(one)
    assert math.isnan(alone.value)
    assert alone.method == "no interval: the score is undefined"
    assert alone.notes == ("balanced accuracy is undefined over these groups",)


def test_one_group_has_no_interval() -> None:
    one = of_numbers(np.random.default_rng(0).normal(size=(5, 1)))
    assert estimate(one).method == "no interval: it needs two groups, and there is one"


def test_arms_that_do_not_differ_have_p_one_and_no_detectable_difference() -> None:
    rng = np.random.default_rng(6)
    for groups in (5, 20):
        one = of_counts(rng, 5, groups, 0.5)
        found = contrast(one, one)
        assert (found.difference, found.interval.p) == (0.0, 1.0)
        assert math.isnan(found.interval.detectable)
        assert "nothing differs between groups or seeds" in found.notes
    level = rng.normal(0, 10, size=(5, 30))
    found = contrast(of_numbers(level + 0.5), of_numbers(level))
    assert found.difference == pytest.approx(0.5)
    assert math.isnan(found.interval.p), "a rounding error is no variance"


def test_unmeasured_groups_and_seeds_leave_both_arms() -> None:
    rng = np.random.default_rng(12)
    a, b = of_counts(rng, 5, 14, 0.6), of_counts(rng, 5, 14, 0.5)
    holed = b.sums.copy()
    holed[1, 3] = np.nan
    partial = Evidence(b.measure, holed[:4], b.groups, (0, 1, 2, 3))
    found = contrast(a, partial)
    keep = [g for g in range(14) if g != 3]
    rest = [
        Evidence(one.measure, one.sums[:4][:, keep], tuple(one.groups[g] for g in keep), (0, 1, 2, 3)) for one in (a, b)
    ]
    expected = contrast(*rest)
    assert (found.difference, found.interval.low, found.interval.high) == (
        expected.difference,
        expected.interval.low,
        expected.interval.high,
    )
    assert "g3" not in found.groups
    assert found.notes[0] == "1 of 14 groups are not measured in every seed and arm, and left out"
    assert found.notes[1] == "1 of 5 seeds are not in every arm, and left out"


def test_arms_are_paired_by_the_names_of_groups_and_seeds() -> None:
    rng = np.random.default_rng(13)
    a, b = of_counts(rng, 5, 14, 0.6), of_counts(rng, 5, 14, 0.5)
    order = rng.permutation(14)
    turned = Evidence(b.measure, b.sums[::-1][:, order], tuple(b.groups[g] for g in order), b.seeds[::-1])
    assert same(contrast(a, b), contrast(a, turned))


def test_what_can_not_be_compared_is_refused() -> None:
    rng = np.random.default_rng(1)
    one = of_counts(rng, 2, 12, 0.5)
    with pytest.raises(ValueError, match="can't be compared"):
        contrast(one, Evidence(ACCURACY, one.sums, one.groups, one.seeds))
    with pytest.raises(ValueError, match="no seed and group"):
        contrast(one, Evidence(one.measure, one.sums, one.groups, (7, 8)))
    with pytest.raises(ValueError, match="sums"):
        Evidence(one.measure, one.sums, one.groups[:3], one.seeds)
    with pytest.raises(ValueError, match="twice"):
        Evidence(one.measure, one.sums, one.groups, (1, 1))


def test_an_arm_has_an_interval_of_its_own() -> None:
    rng = np.random.default_rng(21)
    one = of_counts(rng, 5, 25, 0.6)
    found = estimate(one)
    assert found.value == pytest.approx(np.mean([brute_balanced(one.sums[s].sum(axis=0)) for s in range(5)]))
    reach = float(random_effects(pseudo_values(one.measure, one.sums)).reach())
    assert (found.low, found.high) == pytest.approx((found.value - reach, found.value + reach))
    assert found.method == "two-way random effects over 25 groups × 5 seeds"


@pytest.mark.parametrize("groups", [6, 25])
def test_a_score_is_the_same_without_its_interval(groups: int) -> None:
    one = of_counts(np.random.default_rng(23), 3, groups, 0.6)
    holed = one.sums.copy()
    holed[0, 2] = np.nan
    for evidence in (one, Evidence(one.measure, holed, one.groups, one.seeds)):
        assert score_of(evidence) == pytest.approx(estimate(evidence).value, abs=1e-14)


def test_mean_dice_of_groups_of_different_classes() -> None:
    rng = np.random.default_rng(22)
    dice = rng.uniform(0.2, 0.9, size=(3, 15, 2))
    dice[:, 4, 1] = np.nan
    known = ~np.isnan(dice)
    sums = np.concatenate([np.where(known, dice, 0), known], axis=2)
    found = estimate(Evidence(MEAN_DICE, sums, names(15), (0, 1, 2)))
    assert found.value == pytest.approx(np.nanmean(dice, axis=1).mean())
    assert math.isfinite(found.low)


def same(one: Contrast, other: Contrast) -> bool:
    numbers = ("low", "high", "p", "detectable", "freedom")
    pairs = [(getattr(one.interval, n), getattr(other.interval, n)) for n in numbers]
    return all(math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12) for x, y in [*pairs, (one.difference, other.difference)])


values = st.integers(2, 14).flatmap(
    lambda groups: st.lists(st.lists(st.integers(-50, 50), min_size=groups, max_size=groups), min_size=1, max_size=5)
)


@settings(max_examples=60, deadline=None)
@given(values)
def test_swapping_the_arms_turns_the_sign(cells: list[list[int]]) -> None:
    a, b = of_numbers(np.array(cells, dtype=float)), of_numbers(np.zeros((len(cells), len(cells[0]))))
    there, back = contrast(a, b), contrast(b, a)
    assert there.difference == -back.difference
    assert there.interval.low == pytest.approx(-back.interval.high, abs=1e-9, nan_ok=True)
    assert there.interval.high == pytest.approx(-back.interval.low, abs=1e-9, nan_ok=True)
    assert there.interval.p == pytest.approx(back.interval.p, nan_ok=True)
    assert there.interval.detectable == pytest.approx(back.interval.detectable, nan_ok=True)
    np.testing.assert_array_equal(there.per_group, -back.per_group)
