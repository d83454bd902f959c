"""Measures of sums against sklearn on the rows themselves, and their undefined cases."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    jaccard_score,
    r2_score,
)

from ssl_domains.errors import UsageError
from ssl_domains.studies.design.measures import (
    ACCURACY,
    AVERAGE_PRECISION,
    BALANCED_ACCURACY,
    MACRO_F1,
    MEAN_DICE,
    MEASURES,
    OF_TEXTS,
    R2,
    confusion_sums,
    dice_sums,
    measure_named,
    of_class,
    pixel_sums,
    ranking_sums,
    regression_sums,
    with_whole,
)

RNG = np.random.default_rng(0)


def rows(n: int = 300, classes: int = 4, groups: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y = RNG.integers(classes, size=n)
    guess = np.where(RNG.random(n) < 0.6, y, RNG.integers(classes, size=n))
    return y, guess, RNG.integers(groups, size=n)


@pytest.mark.parametrize("name", [*MEASURES, "nDCG@10"])
def test_measures_reach_another_process(name: str) -> None:
    measure = measure_named(name)
    assert pickle.loads(pickle.dumps(measure)) == measure


def test_counts_of_groups_add_to_the_scores_of_their_rows() -> None:
    y, guess, groups = rows()
    sums = confusion_sums(y, guess, groups, 7, 4)
    assert sums.shape == (7, 16)
    some = np.isin(groups, (1, 3, 4))
    pooled = sums[[1, 3, 4]].sum(axis=0)
    assert ACCURACY.value(pooled) == pytest.approx(accuracy_score(y[some], guess[some]))
    assert BALANCED_ACCURACY.value(pooled) == pytest.approx(balanced_accuracy_score(y[some], guess[some]))
    assert MACRO_F1.value(pooled) == pytest.approx(f1_score(y[some], guess[some], average="macro"))


def test_pixels_of_groups_add_to_the_scores_of_their_pixels() -> None:
    y, guess, groups = rows()
    counts = np.stack(
        [confusion_sums(y[groups == g], guess[groups == g], np.zeros(sum(groups == g), int), 1, 4) for g in range(7)]
    ).reshape(7, 4, 4)
    sums = pixel_sums(counts.astype(np.int64))
    some = np.isin(groups, (0, 2, 6))
    truth, found, pooled = y[some], guess[some], sums[[0, 2, 6]].sum(axis=0)
    expected = {
        "pixel accuracy": accuracy_score(truth, found),
        "mean class accuracy": balanced_accuracy_score(truth, found),
        "frequency-weighted IoU": jaccard_score(truth, found, average="weighted"),
        "pooled mean IoU": jaccard_score(truth, found, average="macro"),
    }
    assert {name: float(measure_named(name).value(pooled)) for name in expected} == pytest.approx(expected)


def test_rows_of_the_table_of_counts_are_the_truth() -> None:
    (sums,) = confusion_sums(np.array([0, 0, 1]), np.array([1, 1, 1]), np.zeros(3, dtype=np.int64), 1, 2)
    assert sums.tolist() == [0, 2, 0, 1]


def test_a_group_drawn_twice_counts_twice() -> None:
    y, guess, groups = rows()
    sums = confusion_sums(y, guess, groups, 7, 4)
    twice = np.concatenate([np.flatnonzero(groups == 2)] * 2 + [np.flatnonzero(groups == 5)])
    expected = balanced_accuracy_score(y[twice], guess[twice])
    assert BALANCED_ACCURACY.value(2 * sums[2] + sums[5]) == pytest.approx(expected)


def test_r2_of_sums_is_r2_of_rows() -> None:
    y = RNG.normal(1000.0, 3.0, size=200)
    guess = y + RNG.normal(size=200)
    groups = RNG.integers(5, size=200)
    sums = regression_sums(y, guess, groups, 5)
    assert R2.value(sums.sum(axis=0)) == pytest.approx(r2_score(y, guess), rel=1e-7)
    assert R2.value(sums[3]) == pytest.approx(r2_score(y[groups == 3], guess[groups == 3]), rel=1e-7)


@pytest.mark.parametrize("offset", [0.0, 1e9, -1e12])
def test_r2_keeps_its_digits_far_from_zero(offset: float) -> None:
    """Numbers that float64 holds exactly at every offset, so that R² is the same."""
    steps = RNG.integers(-4000, 4000, size=300)
    near, error = steps / 4096 * 4, RNG.integers(-900, 900, size=300) / 1024
    groups = RNG.integers(6, size=300)
    exact = r2_score(near, near + error)
    y = near + offset
    sums = regression_sums(y, y + error, groups, 6, centre=float(np.mean(y)))
    assert R2.value(sums.sum(axis=0)) == pytest.approx(exact, rel=1e-9)
    mine = groups == 2
    assert R2.value(sums[2]) == pytest.approx(r2_score(near[mine], (near + error)[mine]), rel=1e-9)
    if abs(offset) >= 1e9:
        lost = R2.value(regression_sums(y, y + error, groups, 6).sum(axis=0))
        assert lost != pytest.approx(exact, rel=1e-3), "without a centre the digits are lost"


def test_mean_dice_is_a_mean_over_groups_then_classes() -> None:
    dice = np.array([[0.5, 0.9], [0.7, np.nan], [0.6, 0.1]])
    sums = dice_sums(dice)
    assert sums.shape == (3, 4)
    assert MEAN_DICE.value(sums.sum(axis=0)) == pytest.approx((0.6 + 0.5) / 2)
    assert MEAN_DICE.value(sums[1]) == pytest.approx(0.7)
    assert MEAN_DICE.value(2 * sums[0] + sums[2]) == pytest.approx((1.6 / 3 + 1.9 / 3) / 2)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda one: one.name)
def test_nothing_has_no_score_and_leading_axes_are_kept(measure: object) -> None:
    wide = {AVERAGE_PRECISION: 512, **dict.fromkeys(OF_TEXTS, 6)}
    sums = np.zeros((2, 3, wide.get(measure, 4)))  # type: ignore[call-overload]
    value = measure.value(sums)  # type: ignore[attr-defined]
    assert value.shape == (2, 3)
    assert np.isnan(value).all()


def test_one_class_only_has_no_balanced_score() -> None:
    one_class = np.array([5.0, 2.0, 0.0, 0.0])
    assert np.isnan(BALANCED_ACCURACY.value(one_class))
    assert np.isnan(MACRO_F1.value(one_class))
    assert ACCURACY.value(one_class) == pytest.approx(5 / 7)


def test_an_absent_class_is_left_out_of_the_mean() -> None:
    counts = np.array([[3, 1, 0], [2, 2, 0], [0, 0, 0]], dtype=float).ravel()
    assert BALANCED_ACCURACY.value(counts) == pytest.approx((0.75 + 0.5) / 2)


def test_a_constant_label_has_no_r2() -> None:
    sums = regression_sums(np.full(9, 0.1), np.zeros(9), np.zeros(9, dtype=np.int64), 1)
    assert np.isnan(R2.value(sums)).all()


def test_codes_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="guess must be in 0 … 1"):
        confusion_sums(np.array([0]), np.array([2]), np.array([0]), 1, 2)
    with pytest.raises(ValueError, match="no square"):
        ACCURACY.value(np.ones(5))


def test_a_measure_is_found_by_name() -> None:
    assert measure_named("mean Dice") is MEAN_DICE
    with pytest.raises(UsageError) as caught:
        measure_named("balanced acuracy")
    assert "balanced accuracy" in caught.value.hint


def ranked(n: int = 4000, classes: int = 3, groups: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, probabilities and groups; the classes are rarer from the first to the last."""
    rate = np.array([0.3, 0.1, 0.03])[:classes]
    truth = RNG.random((n, classes)) < rate
    logits = RNG.normal(size=(n, classes)) + 1.5 * truth + np.log(rate)
    return truth, 1 / (1 + np.exp(-logits)), RNG.integers(groups, size=n)


def test_counts_by_bins_give_average_precision_of_the_rows() -> None:
    truth, answers, groups = ranked()
    tables = ranking_sums(truth, answers, groups, 5)
    some = np.isin(groups, (0, 2, 3))
    exact = [average_precision_score(truth[some, code], answers[some, code]) for code in range(3)]
    pooled = tables[[0, 2, 3]].sum(axis=0)
    for code in range(3):
        assert AVERAGE_PRECISION.value(pooled[code]) == pytest.approx(exact[code], abs=0.01)
    assert AVERAGE_PRECISION.value(pooled.ravel()) == pytest.approx(np.mean(exact), abs=0.005)


def test_tied_rows_count_as_if_in_random_order() -> None:
    truth = RNG.random((2000, 1)) < 0.1
    sums = ranking_sums(truth, np.full((2000, 1), 0.4), np.zeros(2000, dtype=np.int64), 1)
    orders = [average_precision_score(truth[:, 0], RNG.random(2000)) for _ in range(300)]
    assert AVERAGE_PRECISION.value(sums.ravel()) == pytest.approx(np.mean(orders), abs=0.0015)


def test_ties_are_the_mean_over_all_orders_of_the_rows_of_a_bin() -> None:
    truth = np.array([[True], [False], [True], [False], [False], [True]])
    answers = np.array([[0.9], [0.4], [0.4], [0.4], [0.4], [0.4]])
    sums = ranking_sums(truth, answers, np.zeros(6, dtype=np.int64), 1).ravel()
    orders = [[5.0, *order] for order in itertools.permutations([4.0, 3.0, 2.0, 1.0, 0.0])]
    expected = np.mean([average_precision_score(truth[:, 0], order) for order in orders])
    assert AVERAGE_PRECISION.value(sums) == pytest.approx(expected, abs=1e-12)


def test_average_precision_by_hand_and_without_the_class() -> None:
    truth = np.array([[True], [False], [True], [False]])
    sums = ranking_sums(truth, np.array([[0.9], [0.7], [0.5], [0.1]]), np.zeros(4, dtype=np.int64), 1).ravel()
    assert AVERAGE_PRECISION.value(sums) == pytest.approx((1 / 1 + 2 / 3) / 2)
    none = ranking_sums(np.zeros((3, 1), dtype=bool), np.full((3, 1), 0.5), np.zeros(3, dtype=np.int64), 1).ravel()
    assert np.isnan(AVERAGE_PRECISION.value(none))
    both = np.concatenate([sums, none])  # a class that no row has is left out of the mean
    assert AVERAGE_PRECISION.value(both) == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_certain_probabilities_stand_in_the_outer_bins() -> None:
    truth = np.array([[True], [False]])
    sums = ranking_sums(truth, np.array([[1.0], [0.0]]), np.zeros(2, dtype=np.int64), 1).reshape(2, -1)
    assert (sums[1, -1], sums[0, 0], sums.sum()) == (1.0, 1.0, 2.0)


def test_average_precisions_of_single_classes_make_that_of_all() -> None:
    truth, answers, groups = ranked()
    tables = ranking_sums(truth, answers, groups, 5)
    sums = {of_class(name): tables[:, code].tolist() for code, name in enumerate("abc")}
    found = with_whole(sums)
    assert list(found) == [
        "average precision", "average precision of a", "average precision of b", "average precision of c"
    ]  # fmt: skip
    single = [float(measure_named(of_class(name)).value(tables[:, code].sum(0))) for code, name in enumerate("abc")]
    assert AVERAGE_PRECISION.value(np.array(found["average precision"]).sum(0)) == pytest.approx(np.mean(single))
    assert with_whole({"accuracy": [[1.0]]}) == {"accuracy": [[1.0]]}


def test_counts_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="300 sums are no counts"):
        AVERAGE_PRECISION.value(np.zeros(300))


def test_rates_of_texts_are_those_of_all_lines_of_the_groups() -> None:
    groups = np.array([[2.0, 10.0, 1.0, 3.0, 1.0, 4.0], [3.0, 30.0, 0.0, 1.0, 2.0, 8.0]])
    found = {measure.name: measure.value(groups.sum(axis=0)) for measure in OF_TEXTS}
    assert found["character accuracy"] == pytest.approx(1 - 5 / 40)
    assert found["line accuracy"] == pytest.approx(1 / 4)
    assert found["word accuracy"] == pytest.approx(1 - 3 / 12)
    assert found["character accuracy"] != pytest.approx(np.mean([1 - 2 / 10, 1 - 3 / 30]))
