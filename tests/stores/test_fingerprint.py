"""Digests of rows: one at a time or many, any type of value, and only what decoding read."""

from __future__ import annotations

import datetime

import polars as pl

from ssl_domains.samples import SampleTable
from ssl_domains.stores.fingerprint import WatchedRow, row_digest, row_digests

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
    many = row_digests(TABLE, [0, 1, 2], COLUMNS)
    assert many == [row_digest(row, COLUMNS) for row in TABLE.frame.to_dicts()]
    assert len(set(many)) == 3
    assert row_digests(TABLE, [2, 0], COLUMNS) == [many[2], many[0]]


def test_each_value_counts_and_others_do_not() -> None:
    row = TABLE.frame.row(0, named=True)
    digest = row_digest(row, COLUMNS)
    for name in ("sample", "path", *COLUMNS):
        assert row_digest({**row, name: "other"}, COLUMNS) != digest
    assert row_digest({**row, "label": 1}, COLUMNS) == digest
    assert row_digest(row, ("slice",)) != row_digest(row, ("spacing",))


def test_digests_never_change() -> None:
    """Else every store in the world is filled anew."""
    assert row_digests(TABLE, [0], ("slice", "day")) == ["f59a0faf79ca3d0a9c"]


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
