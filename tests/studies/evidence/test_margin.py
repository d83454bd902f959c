"""An interval lies beyond a margin, within it, or neither."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ssl_domains.studies.evidence.contrast import Contrast
from ssl_domains.studies.evidence.interval import Interval
from ssl_domains.studies.evidence.margin import margin_reading


def a_contrast(low: float, high: float, seeds: int = 5) -> Contrast:
    interval = Interval(low, high, 0.2, 0.1, 4.0, 0.1, "by hand")
    middle = (low + high) / 2
    return Contrast(middle, interval, np.zeros(6), np.zeros(seeds), middle, 0.0, seeds=tuple(range(seeds)))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.021, 0.08, "beyond"),
        (-0.08, -0.021, "beyond"),
        (-0.019, 0.019, "within"),
        (0.001, 0.019, "within"),
        (-0.01, 0.03, "neither"),
        (0.01, 0.03, "neither"),
        (-0.05, 0.05, "neither"),
        (0.02, 0.08, "neither"),
        (-0.02, 0.01, "neither"),
    ],
)
def test_where_the_interval_lies(low: float, high: float, expected: str) -> None:
    assert margin_reading(a_contrast(low, high), 0.02) == expected


def test_without_a_margin_an_interval_or_seeds_nothing_is_read() -> None:
    assert margin_reading(a_contrast(0.1, 0.2), None) is None
    assert margin_reading(a_contrast(math.nan, math.nan), 0.02) is None
    assert margin_reading(a_contrast(0.1, 0.2, seeds=3), 0.02) is None
    assert margin_reading(a_contrast(0.1, 0.2, seeds=4), 0.02) == "beyond"
