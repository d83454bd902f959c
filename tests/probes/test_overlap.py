"""Scores of masks against their definitions, pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ssl_domains.probes.overlap import (
    POOLED,
    add_confusion,
    dice,
    frequency_weighted_iou,
    iou,
    mean_class_accuracy,
    mean_iou,
    pixel_accuracy,
    pooled_scores,
)


@pytest.mark.parametrize("seed", range(5))
def test_dice_and_iou_of_a_volume_by_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.choice([0, 1, 2, 3, 255], size=(6, 9, 7)).astype(np.uint8)
    guess = rng.integers(0, 4, truth.shape)
    counts = np.zeros((4, 4), np.int64)
    for one, other in zip(truth, guess, strict=True):  # a volume comes in slices
        add_confusion(counts, one, other)
    for code in (1, 2, 3):
        p = {tuple(at) for at in np.argwhere((guess == code) & (truth != 255)).tolist()}
        t = {tuple(at) for at in np.argwhere(truth == code).tolist()}
        assert dice(counts)[code - 1] == pytest.approx(2 * len(p & t) / (len(p) + len(t)))
        assert iou(counts)[code - 1] == pytest.approx(len(p & t) / len(p | t))


def test_a_class_that_is_nowhere_is_undefined_and_a_missed_one_is_zero() -> None:
    counts = np.zeros((2, 3, 3), np.int64)
    add_confusion(counts[0], np.array([0, 1, 1]), np.array([0, 1, 0]))
    add_confusion(counts[1], np.array([0, 0, 2]), np.array([1, 0, 0]))
    found = dice(counts)
    assert found[0, 0] == pytest.approx(2 / 3)
    assert math.isnan(found[0, 1])
    assert found[1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("seed", range(6))
def test_scores_of_all_pixels_by_their_definition(seed: int) -> None:
    """Long, Shelhamer, Darrell (2015), section 5, from lists of pixels; class 4 is nowhere, class 3 only predicted."""
    rng = np.random.default_rng(seed)
    truth = rng.choice([0, 1, 2, 255], size=(5, 11, 9), p=[0.5, 0.3, 0.1, 0.1]).astype(np.uint8)
    guess = np.where(rng.uniform(size=truth.shape) < 0.4, rng.integers(0, 4, truth.shape), truth)
    guess[guess == 255] = 3
    counts = np.zeros((5, 5), np.int64)
    for one, other in zip(truth, guess, strict=True):
        add_confusion(counts, one, other)
    pixels = [(t, g) for t, g in zip(truth.ravel().tolist(), guess.ravel().tolist(), strict=True) if t != 255]
    assert 3 in {g for _, g in pixels}
    right = {c: sum(t == g == c for t, g in pixels) for c in range(5)}
    there = {c: sum(t == c for t, _ in pixels) for c in range(5)}
    union = {c: sum(c in pair for pair in pixels) for c in range(5)}
    assert pixel_accuracy(counts) == pytest.approx(sum(right.values()) / len(pixels))
    assert mean_class_accuracy(counts) == pytest.approx(sum(right[c] / there[c] for c in (0, 1, 2)) / 3)
    assert mean_iou(counts) == pytest.approx(sum(right[c] / union[c] for c in (0, 1, 2, 3)) / 4)
    weighted = sum(there[c] * right[c] / union[c] for c in (0, 1, 2)) / len(pixels)
    assert frequency_weighted_iou(counts) == pytest.approx(weighted)


def test_scores_of_a_table_worked_out_by_hand() -> None:
    counts = np.array([[6, 2], [1, 3]])
    assert pixel_accuracy(counts) == pytest.approx(9 / 12)
    assert mean_class_accuracy(counts) == pytest.approx((6 / 8 + 3 / 4) / 2)
    assert mean_iou(counts) == pytest.approx((6 / 9 + 3 / 6) / 2)
    assert frequency_weighted_iou(counts) == pytest.approx((8 * 6 / 9 + 4 * 3 / 6) / 12)


def test_pixels_of_groups_are_added_before_they_are_scored() -> None:
    counts = np.array([[[8, 0], [0, 0]], [[0, 0], [1, 1]]])
    assert pooled_scores(counts)["pixel accuracy"] == pytest.approx(9 / 10)  # the mean over groups is 0.75
    assert pooled_scores(counts)["mean class accuracy"] == pytest.approx((1 + 0.5) / 2)
    assert pooled_scores(np.zeros((2, 3, 3), np.int64)) == dict.fromkeys(POOLED)  # None: there is no pixel
    both = np.stack([counts, counts[::-1]])
    np.testing.assert_allclose(pixel_accuracy(both), [[1, 0.5], [0.5, 1]])


def test_class_zero_has_a_dice_where_it_is_no_background() -> None:
    counts = np.array([[6, 2], [1, 3]])
    np.testing.assert_allclose(dice(counts, background=False), [12 / 15, 6 / 9])
    np.testing.assert_allclose(iou(counts, background=False), [6 / 9, 3 / 6])
    np.testing.assert_allclose(dice(counts), [6 / 9])
