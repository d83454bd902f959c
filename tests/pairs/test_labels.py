"""Pairs from plain labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ssl_domains.errors import UsageError
from ssl_domains.pairs import pairs_from_labels

NAN = float("nan")
EXPECTED = [[0, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]


@pytest.mark.parametrize(
    "labels",
    [
        torch.tensor([4, 4, 7, -1, -1]),
        torch.tensor([4.0, 4.0, 7.0, NAN, NAN]),
        np.array([4, 4, 7, -1, -1]),
        np.array([0.5, 0.5, 1.0, NAN, -1.0]),
        np.array(["p", "p", "q", "r", "s"]),
        ["p", "p", "q", None, None],
        [None, None, "q", "p", "p"][::-1],
        [4, 4, 7, None, -1],
        [True, True, False, None, None],
    ],
)
def test_equal_labels_are_positives_and_missing_ones_have_none(labels: Any) -> None:
    batch = pairs_from_labels(labels)
    assert batch.square
    assert batch.by_codes == (True,)
    assert batch.dense().weights[0].tolist() == EXPECTED
    assert torch.equal(batch.dense().allowed, ~torch.eye(5, dtype=torch.bool))
    assert batch.cross_sample()[:, 0].tolist() == [True, True, False, False, False]


def test_no_labels() -> None:
    assert pairs_from_labels(torch.tensor([])).dense().weights.shape == (1, 0, 0)


def test_labels_are_one_a_row() -> None:
    with pytest.raises(UsageError, match="labels have 2 dimensions"):
        pairs_from_labels(torch.zeros(3, 2))
