"""Pseudo-values against leaving each group out in a loop."""

from __future__ import annotations

import numpy as np
import pytest

from ssl_domains.studies.design.measures import ACCURACY, BALANCED_ACCURACY, MEAN_DICE, OF_PIXELS, R2, Measure
from ssl_domains.studies.evidence.jackknife import pseudo_values


def counts(seeds: int, groups: int) -> np.ndarray:
    return np.random.default_rng(1).multinomial(9, np.full(9, 1 / 9), size=(seeds, groups)).astype(float)


def regression(seeds: int, groups: int) -> np.ndarray:
    rng = np.random.default_rng(2)
    y = rng.normal(size=(groups, 6))
    errors = rng.normal(size=(seeds, groups, 6))
    each = [np.broadcast_to(np.stack([np.full(groups, 6.0), y.sum(1), (y**2).sum(1)], 1), (seeds, groups, 3))]
    return np.concatenate([*each, (errors**2).sum(-1)[..., None]], axis=2)


@pytest.mark.parametrize(
    ("measure", "sums"),
    [
        (BALANCED_ACCURACY, counts(3, 7)), (ACCURACY, counts(2, 5)), (R2, regression(3, 6)),
        *((one, counts(2, 6)) for one in OF_PIXELS),
    ],
)  # fmt: skip
def test_each_group_is_left_out_in_turn(measure: Measure, sums: np.ndarray) -> None:
    seeds, groups, _ = sums.shape
    found = pseudo_values(measure, sums)
    assert found.shape == (seeds, groups)
    for s in range(seeds):
        whole = float(measure.value(sums[s].sum(axis=0)))
        for g in range(groups):
            rest = float(measure.value(np.delete(sums[s], g, axis=0).sum(axis=0)))
            assert found[s, g] == pytest.approx(groups * whole - (groups - 1) * rest, rel=1e-9, abs=1e-9)


def test_a_plain_mean_over_groups_keeps_the_groups_own_numbers() -> None:
    dice = np.random.default_rng(3).uniform(size=(4, 9, 2))
    sums = np.concatenate([dice, np.ones_like(dice)], axis=2)
    np.testing.assert_allclose(pseudo_values(MEAN_DICE, sums), dice.mean(axis=2), atol=1e-12)


def test_a_group_of_one_class_counts() -> None:
    sums = np.zeros((1, 3, 4))
    sums[0, :, 0], sums[0, :, 3] = (8, 6, 9), (7, 8, 0)
    sums[0, :, 1], sums[0, :, 2] = (2, 4, 1), (3, 2, 0)
    assert np.isnan(BALANCED_ACCURACY.value(sums)[0]).tolist() == [False, False, True]
    found = pseudo_values(BALANCED_ACCURACY, sums)
    assert np.isfinite(found).all()
    whole = (23 / 30 + 15 / 20) / 2
    without_the_last = (14 / 20 + 15 / 20) / 2
    assert found[0, 2] == pytest.approx(3 * whole - 2 * without_the_last)


def test_the_only_group_of_a_class_can_not_be_left_out() -> None:
    sums = np.zeros((1, 3, 4))
    sums[0, :, 0] = 5
    sums[0, 1, 3] = 2
    assert np.isnan(pseudo_values(BALANCED_ACCURACY, sums)[0]).tolist() == [False, True, False]
