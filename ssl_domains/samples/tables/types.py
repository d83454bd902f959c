"""Types of columns in a table: what a file holds beside numbers, text, dates and lists becomes text when it is read."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

__all__ = ["usual_types"]


def usual_types(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with durations, bytes, structs and Python objects as text; all other columns as they are.

    Polars can't compare or join these by their text, and they are rarely meant: pandas writes text as bytes now and
    then. A duration is written as in ISO 8601 (``PT1H``), bytes as UTF-8 or else as hexadecimal digits, a struct as
    JSON.
    """
    return frame.with_columns(_as_text(frame[name]) for name, dtype in frame.schema.items() if _unusual(dtype))


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
