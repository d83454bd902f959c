"""Digests of rows: one at a time or many, any type of value, and only what decoding read."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.samples import SampleTable
from ssl_domains.stores.fingerprint import WatchedRow, row_digests

TABLE = SampleTable.of(
    pl.DataFrame(
        {
            "sample": ["a", "b", "c"],
            "path": ["x", "x", None],
            "slice": [1, 2, None],
            "spacing": [0.1, float("nan"), None],
            "day": [datetime.date(2024, 1, 2), None, datetime.date(2024, 1, 3)],
            "box": [[1, 2], [], None],
            "used": [True, False, None],
        }
    )
)
COLUMNS = ("slice", "spacing", "day", "box", "used", "absent")


def test_one_at_a_time_or_many() -> None:
    many = row_digests(TABLE, COLUMNS)
    assert many.tolist() == [int(row_digests(TABLE.take([row]), COLUMNS)[0]) for row in range(3)]
    assert len(set(many.tolist())) == 3
    assert row_digests(TABLE, COLUMNS, np.array([2, 0])).tolist() == [many[2], many[0]]
    assert row_digests(TABLE, COLUMNS[::-1]).tolist() == many.tolist(), "in any order of the columns"


@pytest.mark.parametrize("row", [0, 1, 2])
def test_each_value_counts_and_others_do_not(row: int) -> None:
    digest = row_digests(TABLE, COLUMNS)[row]
    for name in ("path", *COLUMNS):
        changed = TABLE.with_columns(**{name: ["other"] * 3})
        assert row_digests(changed, COLUMNS)[row] != digest, name
    for other in (TABLE.with_columns(label=[1, 2, 3]), TABLE.with_columns(sample=["x", "y", "z"])):
        assert row_digests(other, COLUMNS)[row] == digest
    assert row_digests(TABLE, ("slice",))[0] != row_digests(TABLE, ("spacing",))[0]
    swapped = TABLE.with_columns(slice=TABLE.frame["spacing"], spacing=TABLE.frame["slice"])
    if row < 2:
        assert row_digests(swapped, COLUMNS)[row] != digest


def test_a_missing_column_counts_as_null() -> None:
    table = SampleTable(TABLE.frame.drop("slice"))
    assert row_digests(table, COLUMNS)[2] == row_digests(TABLE, COLUMNS)[2]
    assert row_digests(table, COLUMNS)[0] != row_digests(TABLE, COLUMNS)[0]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt16, pl.Int64, pl.UInt64, pl.Float32, pl.Float64])
def test_equal_numbers_of_any_type_are_equal(dtype: Any) -> None:
    """A table that is read again, from CSV say, may have other types."""
    frame = TABLE.frame.with_columns(pl.Series("slice", [1, 2, None], dtype=dtype))
    assert row_digests(SampleTable(frame), COLUMNS).tolist() == row_digests(TABLE, COLUMNS).tolist()


def test_no_two_values_of_a_column_have_one_digest() -> None:
    values = [*range(-300, 300), *np.linspace(0.1, 0.9, 50).tolist(), float("inf"), float("-inf"), float("nan"), None]
    table = SampleTable.of({"sample": [str(k) for k in range(len(values))], "x": pl.Series(values, dtype=pl.Float64)})
    assert len(set(row_digests(table, ("x",)).tolist())) == len(values)
    texts = ["", "a", "b", "ab", "1", "null", None]
    table = SampleTable.of({"sample": [str(k) for k in range(len(texts))], "x": texts})
    assert len(set(row_digests(table, ("x",)).tolist())) == len(texts)


def test_digests_never_change() -> None:
    """Else every store in the world is filled anew."""
    assert row_digests(TABLE, COLUMNS).tolist() == [
        11068722111858189625,
        16959943172854610979,
        9896090667128277697,
    ]


def test_a_watched_row_notes_what_is_looked_at() -> None:
    seen: set[str] = set()
    row = WatchedRow({"path": "x", "slice": 3, "label": 1}, seen)
    assert row["slice"] == 3
    assert row.get("echo", 7) == 7
    assert "frame" not in row
    assert seen == {"slice", "echo", "frame"}
    assert dict(row) == {"path": "x", "slice": 3, "label": 1}
    assert seen == {"path", "slice", "label", "echo", "frame"}
    assert len(row) == 3
