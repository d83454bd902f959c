"""Join: add the columns of another table to a sample table."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.samples.identifiers import IdentifierKey
from ssl_domains.samples.table import SampleTable

__all__ = ["join_columns"]


def join_columns(
    table: SampleTable, other: pl.DataFrame, on: str | tuple[str, ...], key: IdentifierKey | None = None
) -> SampleTable:
    """Add the columns of ``other`` to the rows with the same value of ``on``; unmatched rows get nulls.

    Where ``on`` is an identifier of the table, the other table's values are hashed first, with the same key.

    Args:
        table: The samples, ``n`` rows; the result has the same rows in the same order.
        other: At most one row for each value of ``on``.
        on: Column name or names that both tables have.
        key: The key that hashed the table's identifiers; loaded when needed and not given.

    Raises:
        UsageError: When a column of ``on`` is missing, or both tables have another column of the same name.
        DataError: When ``other`` repeats a value of ``on``, or no row matches at all.
    """
    names = (on,) if isinstance(on, str) else on
    for name in names:
        table.column(name)
        if name not in other.columns:
            raise UsageError(f"the joined table has no column {name!r}", did_you_mean(name, other.columns))
    clash = [name for name in other.columns if name in table.columns and name not in names]
    if clash:
        raise UsageError(f"column {clash[0]!r} is in both tables", "rename it in the joined table")

    right = other.with_columns(pl.col(name).cast(pl.String).str.strip_chars() for name in names)
    hashed = [name for name in names if name in table.meta.identifiers]
    if hashed:
        digest = (key or IdentifierKey.load()).digest
        right = right.with_columns(
            pl.col(name).map_elements(digest, return_dtype=pl.String, skip_nulls=True) for name in hashed
        )
    repeated = right.select(names).drop_nulls().is_duplicated().sum()
    if repeated:
        raise DataError(f"{repeated} rows of the joined table share a value of {', '.join(names)}", "one row a value")

    keys = [f"__on_{name}" for name in names]
    left = table.frame.with_columns(pl.col(name).cast(pl.String).alias(k) for name, k in zip(names, keys, strict=True))
    right = right.rename(dict(zip(names, keys, strict=True))).with_columns(pl.lit(True).alias("__matched"))
    joined = left.join(right, on=keys, how="left", maintain_order="left")
    if not joined["__matched"].any():
        raise DataError(f"no row of the samples matches the joined table on {', '.join(names)}", "compare both columns")
    return replace(table, frame=joined.drop(*keys, "__matched"))
