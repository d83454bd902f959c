"""Windows as intervals of ranks agree exactly with float64 subtraction."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.pairs.leaves.within_rows import window

NAN = float("nan")
number = st.one_of(
    st.floats(allow_infinity=False),
    st.integers(-4, 4).map(float),
    st.sampled_from([0.1, 0.2, 0.30000000000000004, 1e16, 1e16 + 2, 1e-320, -1e308, 1e308, NAN]),
)


@settings(max_examples=300, deadline=None)
@given(
    anchors=st.lists(number, max_size=8),
    candidates=st.lists(number, max_size=8),
    width=st.one_of(st.floats(0, allow_infinity=False), st.sampled_from([0.0, 0.1, 1.0, 1e16])),
)
def test_a_window_is_the_subtraction(anchors: list[float], candidates: list[float], width: float) -> None:
    a, c = np.array(anchors, dtype=np.float64), np.array(candidates, dtype=np.float64)
    found = window(a, c, width)
    assert found is not None
    i, j = slice(0, len(a)), slice(0, len(c))
    with np.errstate(over="ignore"):
        distance = np.abs(a[:, None] - c[None, :])
    assert np.array_equal(found.answer(True, i, j).numpy(), distance <= width)
    assert np.array_equal(found.answer(False, i, j).numpy(), distance > width)
    assert np.array_equal(found.weights(i, j).numpy(), (distance <= width).astype(np.float64))


def test_infinite_numbers_have_no_distance() -> None:
    assert window(np.array([np.inf]), np.array([0.0]), 1.0) is None
    assert window(np.array([0.0]), np.array([-np.inf]), 1.0) is None


@pytest.mark.parametrize(("n", "dtype"), [(16_000, torch.int16), (17_000, torch.int32)])
def test_many_ranks_take_a_wider_type(n: int, dtype: torch.dtype) -> None:
    numbers = np.arange(n, dtype=np.float64)
    found = window(numbers, numbers[::-1].copy(), n - 2.0)
    assert found is not None
    assert found.ranks.dtype == dtype
    first, last = slice(0, 1), slice(n - 1, n)
    assert not found.answer(True, first, first).any()
    assert found.answer(True, first, last).all()
    assert found.answer(True, first, slice(1, 2)).all()
