import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import IdentifierKey, SampleTable, TableMeta, join_columns

KEY = IdentifierKey(b"key")


def test_columns_come_by_name_in_the_order_of_the_samples() -> None:
    table = SampleTable.of({"patient": ["b", "a", "b", "c"]})
    joined = join_columns(table, pl.DataFrame({"bcva": [70, 80], "patient": ["a", "b"]}), "patient")
    assert joined.frame["bcva"].to_list() == [80, 70, 80, None]
    assert joined.columns == ["sample", "patient", "bcva"]


def test_numbers_and_text_meet() -> None:
    table = SampleTable.of({"patient": ["1", "2"]})
    assert join_columns(table, pl.DataFrame({"patient": [2], "x": [5]}), "patient").frame["x"].to_list() == [None, 5]


def test_two_columns_make_one_key() -> None:
    table = SampleTable.of({"patient": ["a", "a"], "eye": ["L", "R"]})
    other = pl.DataFrame({"patient": ["a", "a"], "eye": ["R", "L"], "cst": [300, 250]})
    assert join_columns(table, other, ("patient", "eye")).frame["cst"].to_list() == [250, 300]


def test_identifiers_are_hashed_before_they_meet() -> None:
    table = SampleTable.of({"patient": [KEY.digest("Doe")]}, TableMeta("medical", ("patient",)))
    joined = join_columns(table, pl.DataFrame({"patient": ["Doe"], "bcva": [85]}), "patient", KEY)
    assert joined.frame["bcva"].to_list() == [85]
    assert "Doe" not in str(joined.frame.to_dicts())


def test_refusals() -> None:
    table = SampleTable.of({"patient": ["a"], "bcva": [1]})
    with pytest.raises(UsageError, match="in both"):
        join_columns(table, pl.DataFrame({"patient": ["a"], "bcva": [2]}), "patient")
    with pytest.raises(UsageError, match="joined table has no column"):
        join_columns(table, pl.DataFrame({"Patient": ["a"]}), "patient")
    with pytest.raises(DataError, match="share a value"):
        join_columns(table, pl.DataFrame({"patient": ["a", "a"], "x": [1, 2]}), "patient")
    with pytest.raises(DataError, match="no row"):
        join_columns(table, pl.DataFrame({"patient": ["z"], "x": [1]}), "patient")
