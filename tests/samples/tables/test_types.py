"""Columns of types that have no text of their own become text when a table is read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.audit.sides import sides_of
from ssl_domains.errors import UsageError
from ssl_domains.pairs import Rows, linked
from ssl_domains.samples import SampleTable, read_frame
from ssl_domains.samples.tables.types import usual_types


def test_durations_bytes_and_structs_are_text() -> None:
    frame = pl.DataFrame(
        {
            "took": [timedelta(hours=1), None],
            "name": ["Müller".encode(), b"\xff\x00"],
            "place": [{"x": 1}, {"x": 2}],
            "count": [1, 2],
            "tags": [["a"], []],
        }
    )
    made = usual_types(frame)
    assert made["took"].to_list() == ["PT1H", None]
    assert made["name"].to_list() == ["Müller", "ff00"]
    assert made["place"].to_list() == ['{"x": 1}', '{"x": 2}']
    assert made["count"].dtype == pl.Int64
    assert made["tags"].dtype == pl.List(pl.String)


def test_usual_columns_stay_as_they_are() -> None:
    frame = pl.DataFrame({"a": [1.5], "b": ["x"], "c": [True]})
    assert usual_types(frame).equals(frame)


def test_a_parquet_file_with_bytes_can_be_joined_by(tmp_path: Path) -> None:
    pl.DataFrame({"file": [b"a.png", b"\xff"]}).write_parquet(tmp_path / "labels.parquet")
    assert read_frame(tmp_path / "labels.parquet")["file"].to_list() == ["a.png", "ff"]


def test_edges_written_as_bytes_are_found(tmp_path: Path) -> None:
    pl.DataFrame({"a": [b"s1"], "b": [b"s2"]}).write_parquet(tmp_path / "edges.parquet")
    table = SampleTable.of({"sample": ["s1", "s2", "s3"]})
    states = linked(str(tmp_path / "edges.parquet")).bind(table).pairs(Rows.of([0, 1, 2], views=2)).dense()
    assert states.matches[0, :3, :3].tolist() == [[False, True, False], [True, False, False], [False, False, False]]


def test_a_column_of_lists_is_no_split() -> None:
    table = SampleTable.of({"sample": ["a", "b"], "split": [["train"], ["test"]]})
    with pytest.raises(UsageError, match="holds lists"):
        sides_of(table, "split")
