"""Values of a row: those of the table's columns, whatever their type."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
import polars as pl

from ssl_domains.samples import SampleTable
from ssl_domains.views.row_facts import RowFacts

COLUMNS: dict[str, list[Any]] = {
    "sample": ["a", "b", "c", "d"],
    "text": ["x", None, "x", "y"],
    "whole": [1, -(2**40), 3, 2**62],
    "some": [None, 5, None, 7],
    "real": [0.1, float("nan"), -1.0, math.inf],
    "real_or_none": [0.1, None, float("nan"), 2.0],
    "flag": [True, False, None, True],
    "day": [datetime.date(2020, 1, 2), None, datetime.date(1999, 12, 31), None],
    "list": [[1, 2], None, [], [3]],
    "nothing": [None] * 4,
}


def test_values_are_those_of_the_columns() -> None:
    table = SampleTable.of(pl.DataFrame(COLUMNS))
    facts = RowFacts(table, tuple(COLUMNS))
    for row in range(4):
        for name, expected in ((name, values[row]) for name, values in COLUMNS.items()):
            value = facts[row][name]
            assert type(value) is type(expected)
            assert value == expected or (value != value and expected != expected)


def test_a_value_is_kept_once() -> None:
    table = SampleTable.of(pl.DataFrame({"sample": [str(n) for n in range(1000)], "kind": ["a", "b"] * 500}))
    column = RowFacts(table, ["kind"])._columns["kind"]
    assert column.different == ["a", "b"]
    assert column.numbers.dtype == np.int32
