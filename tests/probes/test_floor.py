from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.probes import column_floor, floor_features, read_labels
from ssl_domains.samples import SampleTable


def test_a_column_that_decides_the_label_is_found_out(world: Any) -> None:
    rng = np.random.default_rng(0)
    table = SampleTable.of(
        {"position": world.code + 0.3 * rng.random(len(world.code)), "noise": rng.random(len(world.code))}
    )
    labels = read_labels(pl.Series(world.code))
    knows = column_floor(table, ["position"], labels, world.groups, world.train, world.test)
    blind = column_floor(table, ["noise"], labels, world.groups, world.train, world.test)
    assert knows.scores.values["balanced accuracy"] == 1.0
    assert blind.scores.values["balanced accuracy"] < 0.5


def test_text_dates_and_missing_values_are_read() -> None:
    frame = pl.DataFrame({"site": ["b", None, "a"], "age": [30, None, 50], "flag": [True, False, None]})
    features = floor_features(SampleTable.of(frame), ["site", "age", "flag"])
    np.testing.assert_array_equal(features, [[1, 30, 1], [np.nan, np.nan, 0], [0, 50, np.nan]])


def test_a_few_rows_still_split() -> None:
    n = 12
    table = SampleTable.of({"position": np.arange(n) % 2})
    labels = read_labels(pl.Series(["a", "b"] * 6))
    half = np.arange(n) < 8
    result = column_floor(table, ["position"], labels, np.arange(n), half, ~half)
    assert result.scores.values["accuracy"] == 1.0


def test_columns_that_cannot_be_read() -> None:
    table = SampleTable.of(pl.DataFrame({"tags": [["a"], []], "position": [1, 2]}))
    with pytest.raises(UsageError, match="lists"):
        floor_features(table, ["tags"])
    with pytest.raises(UsageError, match="no column"):
        floor_features(table, ["positon"])
    with pytest.raises(UsageError, match="at least one"):
        floor_features(table, [])
