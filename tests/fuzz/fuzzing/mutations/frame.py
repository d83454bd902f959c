"""Damage to what a table says: columns renamed, removed, of other types; rows doubled, removed, without values."""

from __future__ import annotations

import io
import json
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

__all__ = ["csv_frame", "parquet_frame", "parquet_metadata", "xlsx_frame"]


def csv_frame(data: bytes, rng: Random) -> bytes:
    """A CSV table with other columns or rows, or another separator."""
    import polars as pl

    try:
        frame = _changed(pl.read_csv(io.BytesIO(data), infer_schema=False), rng)
        flat = [name for name, dtype in frame.schema.items() if not dtype.is_nested() and dtype != pl.Binary]
        return frame.select(flat).write_csv(separator=rng.choice(",,,;\t|")).encode()
    except BaseException as error:  # damaged before, in ways of its own; panics of polars are no Exception
        raise ValueError from error


def xlsx_frame(data: bytes, rng: Random) -> bytes:
    """An XLSX table with other columns or rows."""
    import polars as pl

    try:
        frame = _changed(pl.read_excel(io.BytesIO(data)), rng)
        made = io.BytesIO()
        frame.write_excel(made)
    except BaseException as error:  # damaged before, or what XLSX can't hold; panics of the reader are no Exception
        raise ValueError from error
    return made.getvalue()


def parquet_frame(data: bytes, rng: Random) -> bytes:
    """A Parquet table with other columns or rows, and the same metadata."""
    import polars as pl

    try:
        frame, metadata = pl.read_parquet(io.BytesIO(data)), pl.read_parquet_metadata(io.BytesIO(data))
        return _parquet(_changed(frame, rng), metadata)
    except BaseException as error:  # damaged before, in ways of its own; panics of the reader are no Exception
        raise ValueError from error


def parquet_metadata(data: bytes, rng: Random) -> bytes:
    """A Parquet table whose own metadata, as JSON, says something else."""
    import polars as pl

    from fuzzing.mutations.text import TEXT
    from fuzzing.mutations.tree import changed

    try:
        frame, metadata = pl.read_parquet(io.BytesIO(data)), pl.read_parquet_metadata(io.BytesIO(data))
        name = rng.choice([name for name in metadata if name != "ARROW:schema"])
    except BaseException as error:
        raise ValueError from error
    if rng.random() < 0.6:
        text = json.dumps(changed(json.loads(metadata[name]), rng))
    else:
        text = rng.choice(TEXT)(metadata[name].encode(), rng).decode("utf-8", "replace")
    return _parquet(frame, {**metadata, name: text})


def _parquet(frame: pl.DataFrame, metadata: dict[str, str]) -> bytes:
    made = io.BytesIO()
    frame.write_parquet(made, metadata={name: text for name, text in metadata.items() if name != "ARROW:schema"})
    return made.getvalue()


def _changed(frame: pl.DataFrame, rng: Random) -> pl.DataFrame:
    import polars as pl

    if not frame.columns:
        raise ValueError
    name = rng.choice(frame.columns)
    how = rng.randrange(10)
    if how == 0:
        return frame.drop(name)
    if how == 1:
        other = rng.choice((*frame.columns, "sample", "path", "", "split", "region", "array", "é\n", "x" * 5000))
        return frame.rename({name: other}) if other not in frame.columns else frame.rename({name: "x"})
    if how == 2:
        other = rng.choice([other for other in frame.columns if other != name])
        return frame.with_columns(frame[other].alias(name), frame[name].alias(other))
    if how == 3:
        return frame.head(rng.choice((0, 1, len(frame) // 2)))
    if how == 4:
        return pl.concat([frame, frame.head(rng.choice((1, len(frame))))])
    if how == 5:
        return frame.sample(fraction=1.0, shuffle=True, seed=rng.randrange(1000))
    if how == 6:  # a part of the values is missing, or is another's
        kept = pl.int_range(pl.len()) % rng.choice((2, 3, 7)) == 0
        return frame.with_columns(
            pl.when(kept).then(pl.col(name)).otherwise(rng.choice((None, pl.col(name).first()))).alias(name)
        )
    return frame.with_columns(_values(len(frame), rng).alias(name))


def _values(rows: int, rng: Random) -> pl.Series:
    """A column of some other type."""
    import datetime

    import polars as pl

    day, moment = datetime.date(2020, 1, 31), datetime.datetime(2020, 1, 31, 12, 0)
    kinds: tuple[tuple[Any, Any], ...] = (
        (None, pl.Null), (None, pl.String), ("", pl.String), ("same", pl.String), ("a\0b", pl.String),
        ("../..", pl.String),
        ("x" * 20_000, pl.String), (7, pl.Int64), (-1, pl.Int64), (2**63 - 1, pl.Int64), (255, pl.UInt8),
        (0.5, pl.Float64),
        (float("nan"), pl.Float64), (float("inf"), pl.Float64), (1e308, pl.Float64), (True, pl.Boolean), (day, pl.Date),
        (moment, pl.Datetime), (datetime.time(1, 2), pl.Time), (datetime.timedelta(days=9), pl.Duration),
        (b"\xff", pl.Binary),
        ([], pl.List(pl.Int64)), ([1, 2], pl.List(pl.Int64)), (["a", None], pl.List(pl.String)),
        ([[1]], pl.List(pl.List(pl.Int64))),
        ({"a": 1}, pl.Struct({"a": pl.Int64})), ("a", pl.Categorical), ("/", pl.String), ("nan", pl.String),
    )  # fmt: skip
    value, dtype = rng.choice(kinds)
    return pl.Series("", [value] * rows, dtype=dtype)
