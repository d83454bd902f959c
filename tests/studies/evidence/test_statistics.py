"""Intervals against literal loops in float64, what they cover, and what turns when arms are swapped."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ssl_domains.studies.design.measures import ACCURACY, BALANCED_ACCURACY, MEAN_DICE
from ssl_domains.studies.evidence.statistics import Contrast, Evidence, contrast, estimate, score_of


@dataclass(frozen=True)
class Mean:
    """The mean over groups of one number each: sums are (number, 1)."""

    name: str = "mean"

    def value(self, sums: np.ndarray) -> np.ndarray:
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


def test_the_difference_is_the_mean_over_seeds_of_scores_of_all_groups() -> None:
    rng = np.random.default_rng(3)
    a, b = of_counts(rng, 3, 12, 0.6), of_counts(rng, 3, 12, 0.3)
    found = contrast(a, b, draws=200)
    each = [[brute_balanced(sum(arm.sums[s, g] for g in range(12))) for s in range(3)] for arm in (a, b)]
    np.testing.assert_allclose(found.per_seed, np.subtract(*each), rtol=0, atol=1e-14)
    assert found.a_value == pytest.approx(np.mean(each[0]), abs=1e-14)
    assert found.difference == pytest.approx(found.a_value - found.b_value, abs=1e-14)
    for g in range(12):
        own = np.mean([brute_balanced(a.sums[s, g]) - brute_balanced(b.sums[s, g]) for s in range(3)])
        assert found.per_group[g] == pytest.approx(own, nan_ok=True, abs=1e-14)
    assert found.groups == a.groups
    assert found.seeds == (0, 1, 2)


def test_the_interval_is_that_of_a_loop_over_draws() -> None:
    rng = np.random.default_rng(5)
    a, b = of_counts(rng, 2, 11, 0.6), of_counts(rng, 2, 11, 0.4)
    loop = np.random.default_rng(77)
    drawn = []
    for _ in range(4000):
        groups, seeds = loop.integers(11, size=11), loop.integers(2, size=2)
        drawn.append(
            np.mean(
                [
                    brute_balanced(sum(a.sums[s, g] for g in groups))
                    - brute_balanced(sum(b.sums[s, g] for g in groups))
                    for s in seeds
                ]
            )
        )
    found = contrast(a, b, draws=20_000)
    low, high = np.quantile(drawn, [0.025, 0.975])
    spread = np.std(drawn)
    assert found.low == pytest.approx(low, abs=0.12 * spread)
    assert found.high == pytest.approx(high, abs=0.12 * spread)
    assert found.detectable == pytest.approx((1.959964 + 0.841621) * spread, rel=0.05)
    less, more = np.mean(np.array(drawn) <= 0), np.mean(np.array(drawn) >= 0)
    assert found.p == pytest.approx(2 * min(less, more), abs=0.02)


def test_one_group_in_ten_that_differs_has_an_exact_distribution() -> None:
    """How often that group is drawn is binomial."""
    values = np.zeros((1, 10))
    values[0, 4] = 1.0
    found = contrast(of_numbers(values), of_numbers(np.zeros((1, 10))), draws=40_000)
    binomial = stats.binom(10, 0.1)
    assert found.high == pytest.approx(binomial.ppf(0.975) / 10)
    assert found.p == pytest.approx(2 * binomial.cdf(0), rel=0.02)
    se = math.sqrt(binomial.var()) / 10
    assert found.detectable == pytest.approx((1.959964 + 0.841621) * se, rel=0.02)


def test_p_is_never_zero_and_counts_the_draws() -> None:
    found = contrast(of_numbers(np.linspace(1, 2, 15)[None]), of_numbers(np.zeros((1, 15))), draws=999)
    assert found.p == pytest.approx(2 / 1000)
    assert found.low > 0


def test_blocks_of_draws_do_not_change_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    a, b = of_counts(rng, 3, 20, 0.6), of_counts(rng, 3, 20, 0.5)
    whole = contrast(a, b, draws=500)
    monkeypatch.setattr("ssl_domains.studies.evidence.statistics._BLOCK", 700)
    parts = contrast(a, b, draws=500)
    assert (whole.low, whole.high, whole.p) == (parts.low, parts.high, parts.p)


def test_the_same_seed_gives_the_same_numbers_and_another_others() -> None:
    rng = np.random.default_rng(8)
    a, b = of_counts(rng, 3, 20, 0.6), of_counts(rng, 3, 20, 0.5)
    first, again, other = (contrast(a, b, draws=500, seed=seed) for seed in (4, 4, 5))
    assert (first.low, first.high) == (again.low, again.high)
    assert (first.low, first.high) != (other.low, other.high)
    assert first.difference == other.difference


def test_both_arms_are_drawn_together() -> None:
    """Groups differ wildly and the arms by a constant: only a paired draw knows."""
    level = np.random.default_rng(1).normal(0, 10, size=(3, 30))
    found = contrast(of_numbers(level + 0.5), of_numbers(level), draws=500)
    assert found.low == pytest.approx(0.5)
    assert found.high == pytest.approx(0.5)


def coverage(interval: object, count: int, groups: int, seeds: int) -> float:
    assert callable(interval)
    rng = np.random.default_rng(2024)
    hits = 0
    for _ in range(count):
        noise = 0.6 * rng.normal(size=(1, groups)) + 0.1 * rng.normal(size=(seeds, 1))
        low, high = interval(noise + 0.3 * rng.normal(size=(seeds, groups)))
        hits += low <= 0.0 <= high
    return hits / count


def test_the_crossed_interval_covers_where_one_over_seeds_does_not() -> None:
    def crossed(values: np.ndarray) -> tuple[float, float]:
        found = contrast(of_numbers(values), of_numbers(np.zeros_like(values)), draws=400)
        return found.low, found.high

    def over_seeds(values: np.ndarray) -> tuple[float, float]:
        means = values.mean(axis=1)
        all_draws = [np.mean(draw) for draw in itertools.product(means, repeat=len(means))]
        return tuple(np.quantile(all_draws, [0.025, 0.975]))

    assert coverage(crossed, 400, 30, 3) > 0.91
    assert coverage(over_seeds, 400, 30, 3) < 0.7


def test_seeds_that_carry_the_variance_are_said_to() -> None:
    rng = np.random.default_rng(2)
    wild = rng.normal(size=(3, 1)) + 0.01 * rng.normal(size=(3, 40))
    found = contrast(of_numbers(wild), of_numbers(np.zeros((3, 40))), draws=300)
    assert found.seed_share > 0.9
    assert any("covers less than it says" in note for note in found.notes)
    calm = np.array([[0.1], [-0.1], [0.05]]) * 0.01 + rng.normal(size=(1, 40))
    found = contrast(of_numbers(calm), of_numbers(np.zeros((3, 40))), draws=300)
    assert found.seed_share < 0.1
    assert found.notes == ()


def test_one_seed_is_not_resampled_and_it_is_said() -> None:
    rng = np.random.default_rng(4)
    found = contrast(of_counts(rng, 1, 15, 0.5), of_counts(rng, 1, 15, 0.4), draws=300)
    assert "one seed, which is not resampled" in found.method
    assert math.isnan(found.seed_share)
    assert found.per_seed.shape == (1,)


def test_few_groups_get_t_over_groups() -> None:
    rng = np.random.default_rng(9)
    values = rng.normal(0.4, 1.0, size=(3, 6))
    zero = of_numbers(np.zeros((3, 6)))
    found = contrast(of_numbers(values), zero)
    own = values.mean(axis=0)
    expected = stats.ttest_1samp(own, 0.0)
    interval = expected.confidence_interval(0.95)
    assert found.method == "t over the paired differences of 6 groups, each a mean over 3 seeds"
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    np.testing.assert_allclose(found.per_group, own)
    error = own.std(ddof=1) / math.sqrt(6)
    assert found.detectable == pytest.approx((stats.t.ppf(0.975, 5) + stats.t.ppf(0.8, 5)) * error)
    assert found.difference == pytest.approx(found.a_value - found.b_value)


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(11)
    true = (stats.t.ppf(0.975, 7) + stats.t.ppf(0.8, 7)) / math.sqrt(8)
    zero = of_numbers(np.zeros((1, 8)))
    found = sum(contrast(of_numbers(rng.normal(true, 1.0, size=(1, 8))), zero).p < 0.05 for _ in range(600))
    assert 0.75 < found / 600 < 0.88


def test_ten_groups_are_enough_for_the_bootstrap() -> None:
    values = np.random.default_rng(0).normal(size=(2, 10))
    found = contrast(of_numbers(values), of_numbers(values[::-1]), draws=100)
    assert found.method == "crossed bootstrap over 10 groups × 2 seeds, 100 draws"


def test_groups_without_a_value_of_their_own_are_said() -> None:
    sums = np.zeros((1, 4, 4))
    sums[0, :, 0] = sums[0, :, 3] = 5
    sums[0, :3, 1] = 1, 2, 3
    sums[0, 3, 3] = 0
    a = Evidence(BALANCED_ACCURACY, sums, names(4), (0,))
    b = Evidence(BALANCED_ACCURACY, np.broadcast_to(sums[:, :1], sums.shape) * [[[1], [1], [1], [1]]], names(4), (0,))
    found = contrast(a, Evidence(BALANCED_ACCURACY, np.where(sums[..., 3:] == 0, sums, b.sums), names(4), (0,)))
    assert np.isnan(found.per_group).tolist() == [False, False, False, True]
    assert "of 3 groups" in found.method
    assert found.notes == ("1 of 4 groups have no balanced accuracy of their own",)


def test_draws_without_a_value_are_left_out_and_counted() -> None:
    """One group in twelve alone holds the second class."""
    sums = np.zeros((1, 12, 4))
    sums[..., 0] = 5
    sums[0, 0] = 2, 1, 1, 2
    other = sums.copy()
    other[0, :, 1] += np.arange(12) % 3
    a, b = (Evidence(BALANCED_ACCURACY, one, names(12), (0,)) for one in (sums, other))
    found = contrast(a, b, draws=2000)
    missed = (11 / 12) ** 12
    (counted,) = [note for note in found.notes if "draws" in note]
    share = int(counted.split(" in ")[1].split(" of ")[0].replace(",", "")) / 2000
    assert share == pytest.approx(missed, abs=0.04)
    assert math.isfinite(found.low)
    assert found.notes[0].startswith("11 of 12 groups have no balanced accuracy")


def test_a_value_that_is_nowhere_defined_is_nan_and_said() -> None:
    sums = np.zeros((2, 12, 4))
    sums[..., 0] = 3
    one = Evidence(BALANCED_ACCURACY, sums, names(12), (0, 1))
    found = contrast(one, one)
    assert all(math.isnan(value) for value in (found.difference, found.low, found.high, found.p, found.detectable))
    assert "balanced accuracy is undefined over these groups" in found.notes
    few = Evidence(BALANCED_ACCURACY, sums[:, :4], names(4), (0, 1))
    found = contrast(few, few)
    assert math.isnan(found.p)
    assert math.isnan(found.difference)
    assert "an interval over groups needs two of them" in found.notes


def test_arms_that_do_not_differ_have_p_one_and_no_detectable_difference() -> None:
    rng = np.random.default_rng(6)
    for groups in (5, 20):
        one = of_numbers(rng.normal(size=(2, groups)))
        found = contrast(one, one, draws=100)
        assert (found.difference, found.p) == (0.0, 1.0)
        assert math.isnan(found.detectable)
        assert len(found.notes) == 1


def test_unmeasured_groups_and_seeds_leave_both_arms() -> None:
    rng = np.random.default_rng(12)
    a, b = of_counts(rng, 3, 14, 0.6), of_counts(rng, 3, 14, 0.5)
    holed = b.sums.copy()
    holed[1, 3] = np.nan
    partial = Evidence(b.measure, holed[:2], b.groups, (0, 1))
    found = contrast(a, partial, draws=200)
    keep = [g for g in range(14) if g != 3]
    rest = [Evidence(one.measure, one.sums[:2][:, keep], tuple(one.groups[g] for g in keep), (0, 1)) for one in (a, b)]
    expected = contrast(*rest, draws=200)
    assert (found.difference, found.low, found.high) == (expected.difference, expected.low, expected.high)
    assert "g3" not in found.groups
    assert found.notes[0] == "1 of 14 groups are not measured in every seed and arm, and left out"
    assert found.notes[1] == "1 of 3 seeds are not in every arm, and left out"


def test_arms_are_paired_by_the_names_of_groups_and_seeds() -> None:
    rng = np.random.default_rng(13)
    a, b = of_counts(rng, 3, 14, 0.6), of_counts(rng, 3, 14, 0.5)
    order = rng.permutation(14)
    turned = Evidence(b.measure, b.sums[::-1][:, order], tuple(b.groups[g] for g in order), b.seeds[::-1])
    assert same(contrast(a, b, draws=200), contrast(a, turned, draws=200))


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
    one = of_counts(rng, 3, 25, 0.6)
    found = estimate(one, draws=2000)
    assert found.value == pytest.approx(np.mean([brute_balanced(one.sums[s].sum(axis=0)) for s in range(3)]))
    assert found.low < found.value < found.high
    few = of_numbers(rng.normal(size=(1, 5)))
    found = estimate(few)
    interval = stats.ttest_1samp(few.sums[0, :, 0], 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.method == "t over the scores of 5 groups, one seed"


@pytest.mark.parametrize("groups", [6, 25])
def test_a_score_is_the_same_without_its_interval(groups: int) -> None:
    one = of_counts(np.random.default_rng(23), 3, groups, 0.6)
    holed = one.sums.copy()
    holed[0, 2] = np.nan
    for evidence in (one, Evidence(one.measure, holed, one.groups, one.seeds)):
        assert score_of(evidence) == pytest.approx(estimate(evidence, draws=10).value, abs=1e-14)


def test_mean_dice_of_groups_of_different_classes() -> None:
    rng = np.random.default_rng(22)
    dice = rng.uniform(0.2, 0.9, size=(2, 15, 2))
    dice[:, 4, 1] = np.nan
    known = ~np.isnan(dice)
    sums = np.concatenate([np.where(known, dice, 0), known], axis=2)
    found = estimate(Evidence(MEAN_DICE, sums, names(15), (0, 1)), draws=100)
    assert found.value == pytest.approx(np.nanmean(dice, axis=1).mean())


def same(one: Contrast, other: Contrast) -> bool:
    numbers = ("difference", "low", "high", "p", "detectable")
    return all(math.isclose(getattr(one, n), getattr(other, n), rel_tol=1e-9, abs_tol=1e-12) for n in numbers)


values = st.integers(2, 14).flatmap(
    lambda groups: st.lists(st.lists(st.integers(-50, 50), min_size=groups, max_size=groups), min_size=1, max_size=3)
)


@settings(max_examples=60, deadline=None)
@given(values, st.integers(0, 9))
def test_swapping_the_arms_turns_the_sign(cells: list[list[int]], seed: int) -> None:
    a, b = of_numbers(np.array(cells, dtype=float)), of_numbers(np.zeros((len(cells), len(cells[0]))))
    there, back = (contrast(*pair, draws=99, seed=seed) for pair in ((a, b), (b, a)))
    assert there.difference == -back.difference
    assert there.low == pytest.approx(-back.high, abs=1e-9)
    assert there.high == pytest.approx(-back.low, abs=1e-9)
    assert there.p == pytest.approx(back.p, nan_ok=True)
    assert there.detectable == pytest.approx(back.detectable, nan_ok=True)
    np.testing.assert_array_equal(there.per_group, -back.per_group)


@settings(max_examples=40, deadline=None)
@given(values, st.randoms(use_true_random=False))
def test_the_order_of_groups_does_not_matter(cells: list[list[int]], random: object) -> None:
    table = np.array(cells, dtype=float)
    order = list(range(table.shape[1]))
    random.shuffle(order)  # type: ignore[attr-defined]
    a, b = of_numbers(table), of_numbers(np.zeros_like(table))
    turned = [
        Evidence(one.measure, one.sums[:, order], tuple(one.groups[g] for g in order), one.seeds) for one in (a, b)
    ]
    one, other = contrast(a, b, draws=4000), contrast(*turned, draws=4000)
    assert one.difference == pytest.approx(other.difference, abs=1e-12)
    np.testing.assert_allclose(np.sort(one.per_group), np.sort(other.per_group))
    if table.shape[1] < 10:
        assert one.low == pytest.approx(other.low, abs=1e-9, nan_ok=True)
        assert one.p == pytest.approx(other.p, nan_ok=True)
    else:
        assert one.detectable == pytest.approx(other.detectable, rel=0.15, nan_ok=True)


@settings(max_examples=30, deadline=None)
@given(values, st.floats(0.1, 20), st.floats(-5, 5))
def test_unit_and_origin_of_the_scores_do_not_matter(cells: list[list[int]], unit: float, origin: float) -> None:
    table = np.array(cells, dtype=float)
    zero = np.zeros_like(table)
    plain = contrast(of_numbers(table), of_numbers(zero), draws=99)
    other = contrast(of_numbers(unit * table + origin), of_numbers(unit * zero + origin), draws=99)
    assert other.low == pytest.approx(unit * plain.low, abs=1e-6)
    assert other.high == pytest.approx(unit * plain.high, abs=1e-6)
