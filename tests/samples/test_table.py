from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable


def test_row_numbers_become_ids_when_there_are_none() -> None:
    assert SampleTable.of({"x": [3, 1]}).frame["sample"].to_list() == ["0", "1"]


def test_pandas_frames_are_taken() -> None:
    pandas = pytest.importorskip("pandas")
    table = SampleTable.of(pandas.DataFrame({"sample": [7, 8], "age": [30.5, None]}))
    assert table.frame["sample"].to_list() == ["7", "8"]
    assert np.isnan(table.numbers("age")[1])


@pytest.mark.parametrize("ids", [["a", "a"], ["a", None]])
def test_ids_must_be_unique_and_present(ids: list[str | None]) -> None:
    with pytest.raises(DataError):
        SampleTable(pl.DataFrame({"sample": ids}))


def test_missing_column_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        SampleTable.of({"patient": ["a"]}).column("pateint")
    assert "patient" in caught.value.hint


def test_codes_are_equal_exactly_where_values_are() -> None:
    values = [2.0, None, 1.0, float("nan"), 2.0]
    codes = SampleTable.of({"x": values}).codes("x")
    assert codes[0] == codes[4] != codes[2]
    assert codes[1] == codes[3] == -1


def test_lists_have_no_codes() -> None:
    with pytest.raises(UsageError, match="lists"):
        SampleTable.of({"tags": [["a"], []]}).codes("tags")


def test_numbers_count_days_for_dates_and_refuse_text() -> None:
    from datetime import date

    table = SampleTable.of({"day": [date(2024, 1, 1), date(2024, 1, 31), None], "eye": ["L", "R", "L"]})
    days = table.numbers("day")
    assert days[1] - days[0] == 30
    assert np.isnan(days[2])
    with pytest.raises(UsageError, match="not numbers"):
        table.numbers("eye")


def test_take_by_mask_and_by_position_agree() -> None:
    table = SampleTable.of({"x": [5, 6, 7]})
    assert table.take(np.array([False, True, True])).frame.equals(table.take([1, 2]).frame)


def test_rows_of_a_split_leave_null_out() -> None:
    table = SampleTable.of({"split": ["train", None, "test", "train"]})
    assert table.rows_of("train").tolist() == [0, 3]
    assert SampleTable.of({"x": [1, 2]}).rows_of("train").tolist() == [0, 1]


def test_a_split_without_a_value_leaves_every_row_out() -> None:
    assert SampleTable.of({"sample": ["a", "b"], "split": [None, None]}).rows_of("train").tolist() == []


@pytest.mark.parametrize("values", [[0, 1], [True, False], [date(2020, 1, 1)] * 2, [["train"], ["test"]]])
def test_a_split_that_names_no_sides_is_refused(values: list[Any]) -> None:
    with pytest.raises(DataError, match="the column 'split' holds"):
        SampleTable.of({"sample": ["a", "b"], "split": values}).rows_of("train")


def test_pandas_text_and_nullable_columns_need_no_pyarrow() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"name": ["p", None, "q"], "visits": pandas.array([1, None, 3], dtype="Int64")})
    frame["eye"] = pandas.Categorical(["left", "right", None])
    table = SampleTable.of(frame)
    assert table.codes("name").tolist() == [0, -1, 1]
    assert table.codes("visits").tolist() == [0, -1, 1]
    assert table.codes("eye").tolist() == [0, 1, -1]
