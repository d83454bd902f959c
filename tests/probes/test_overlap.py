from __future__ import annotations

import math

import numpy as np
import pytest

from ssl_domains.probes.overlap import add_confusion, dice, iou


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
