"""Types of columns in a table: what a file holds beside numbers, text, dates and lists becomes text when it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from ssl_domains.errors import DataError

__all__ = ["lists_as_text", "region_numbers", "text_as_lists", "usual_types"]

_LISTS = {"List(String)": pl.String, "List(Int64)": pl.Int64, "List(Float64)": pl.Float64}


def usual_types(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with durations, bytes, structs and Python objects as text; all other columns as they are.

    Polars can't compare or join these by their text, and they are rarely meant: pandas writes text as bytes now and
    then. A duration is written as in ISO 8601 (``PT1H``), bytes as UTF-8 or else as hexadecimal digits, a struct as
    JSON.
    """
    return frame.with_columns(_as_text(frame[name]) for name, dtype in frame.schema.items() if _unusual(dtype))


def lists_as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with lists as text, for CSV and XLSX: as ``["a", "b"]``, and regions as ``0,10,5,20``."""
    made = []
    for name, dtype in frame.schema.items():
        if not isinstance(dtype, pl.List):
            continue
        if name == "region":
            made.append(frame[name].cast(pl.List(pl.String)).list.join(","))
        else:
            values = [None if one is None else json.dumps(one, ensure_ascii=False) for one in frame[name].to_list()]
            made.append(pl.Series(name, values, dtype=pl.String))
    return frame.with_columns(made)


def text_as_lists(frame: pl.DataFrame, declared: Mapping[str, str]) -> pl.DataFrame:
    """The reverse of `lists_as_text` for the columns whose declared type is a list.

    Regions stay text where one of them is none: whoever reads the arrays says which.

    Args:
        frame: A table as read from a CSV or XLSX file.
        declared: Types of columns by name, as the metadata of the table have them.

    Raises:
        DataError: When a value is no list of that type.
    """
    made = []
    for name, text in declared.items():
        if text not in _LISTS or name not in frame.columns or frame.schema[name] != pl.String:
            continue
        if name == "region":
            regions = region_numbers(frame[name])
            if regions.null_count() == frame[name].null_count() and not regions.drop_nulls().explode().null_count():
                made.append(regions)
            continue
        for value in frame[name]:
            if value is not None and not _is_list(value):
                hint = 'write a list as ["a", "b"], and one without values as []'
                raise DataError(f"the column {name!r} holds {value!r}, which is no list", hint)
        values = [None if value is None else json.loads(value) for value in frame[name]]
        try:
            made.append(pl.Series(name, values, dtype=pl.List(_LISTS[text])))
        except (pl.exceptions.PolarsError, TypeError) as error:
            raise DataError(f"the column {name!r} holds lists of other values than {text} says", str(error)) from error
    return frame.with_columns(made)


def region_numbers(column: pl.Series) -> pl.Series:
    """The column as lists of int64; a null in a list, or no list for a value, is what is no whole number."""
    dtype = column.dtype
    if dtype == pl.String:
        column = column.str.replace_all(r"[\[\]\s]", "").str.split(",")
    elif isinstance(dtype, pl.Array):
        column = column.arr.to_list()
    elif not isinstance(dtype, pl.List):
        return pl.Series(column.name, [None] * len(column), dtype=pl.List(pl.Int64))
    if isinstance(column.dtype, pl.List) and column.dtype.inner.is_float():
        whole = pl.when(pl.element() == pl.element().floor()).then(pl.element())
        column = column.list.eval(whole)
    return column.cast(pl.List(pl.Int64), strict=False)


def _is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except (ValueError, RecursionError):
        return False


def _unusual(dtype: pl.DataType) -> bool:
    return dtype in (pl.Duration, pl.Binary, pl.Struct, pl.Object)


def _as_text(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Duration:
        return column.dt.to_string("iso")
    texts = [None if value is None else _text(value) for value in column.to_list()]
    return pl.Series(column.name, texts, dtype=pl.String)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    return json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, dict) else str(value)
