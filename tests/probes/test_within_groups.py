"""Features standardised within groups: every number against a loop over groups."""

from __future__ import annotations

import numpy as np
import pytest

from ssl_domains.probes import standardised_within


def test_each_group_has_mean_0_and_deviation_1() -> None:
    rng = np.random.default_rng(0)
    x, groups = rng.normal(3, 2, (60, 5)).astype(np.float32), rng.integers(0, 4, 60)
    x += 10 * groups[:, None]
    found = standardised_within(x, groups)
    assert found.dtype == np.float64
    for group in range(4):
        rows = groups == group
        part = x[rows].astype(np.float64)
        np.testing.assert_allclose(found[rows], (part - part.mean(0)) / part.std(0), rtol=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6, -3.3e-8])
def test_a_constant_feature_and_a_group_of_one_are_0(value: float) -> None:
    x = np.array([[value, 1.0], [value, 2.0], [value, 3.0], [7.0, 7.0]], dtype=np.float32)
    found = standardised_within(x, np.array([5, 5, 5, 9]))
    np.testing.assert_allclose(found, [[0, -np.sqrt(1.5)], [0, 0], [0, np.sqrt(1.5)], [0, 0]], atol=1e-12)
