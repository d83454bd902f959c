"""The handwritten digits of scikit-learn, one set of pictures to train with and another one to test with."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

__all__ = ["SIDE", "Glyphs", "glyphs_of"]

SIDE = 8
"""Pixels along both sides of a digit (Alpaydin & Kaynak 1998, *Optical Recognition of Handwritten Digits*)."""

_TEST = 1 / 3

Glyphs = dict[str, NDArray[np.float32]]
"""Digit → its pictures, float32 ``[n, 8, 8]`` in [0, 1], ink high."""


@functools.cache
def _digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    data = load_digits()
    return (data.images / 16.0).astype(np.float32), data.target.astype(np.int64)


def glyphs_of(side: str, seed: int) -> Glyphs:
    """The pictures of each digit on one side of the split.

    Args:
        side: ``"train"`` or ``"test"``; no picture is on both.
        seed: Chooses which pictures are on the test side: a third of each digit.
    """
    images, targets = _digits()
    rng = np.random.default_rng([seed, 1])
    made: Glyphs = {}
    for digit in range(10):
        rows = rng.permutation(np.flatnonzero(targets == digit))
        held = round(_TEST * len(rows))
        made[str(digit)] = images[rows[:held] if side == "test" else rows[held:]]
    return made
