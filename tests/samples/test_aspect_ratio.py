"""The aspect ratio as a column."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from ssl_domains.samples import SampleTable, with_aspect_ratio


@pytest.mark.parametrize(("width", "height"), [("width", "height"), ("columns", "rows")])
def test_the_logarithm_of_width_over_height(width: str, height: str) -> None:
    table = with_aspect_ratio(SampleTable.of({width: [30, 10, 20], height: [10, 30, 20]}))
    assert table.numbers("aspect_ratio") == pytest.approx([math.log(3), -math.log(3), 0])


def test_a_side_that_is_missing_or_zero_has_no_ratio() -> None:
    table = with_aspect_ratio(SampleTable.of({"width": [30.0, None, 0.0, 5.0], "height": [10.0, 1.0, 1.0, -1.0]}))
    assert np.isnan(table.numbers("aspect_ratio")).tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    "columns",
    [{"width": [1, 2]}, {"width": ["a", "b"], "height": [1, 2]}, {"aspect_ratio": ["wide", "tall"], "rows": [1, 2]}],
)
def test_other_tables_stay_as_they_are(columns: dict[str, list[object]]) -> None:
    table = SampleTable.of(pl.DataFrame(columns))
    assert with_aspect_ratio(table) is table
