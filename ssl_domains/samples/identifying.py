"""Whether the values of a column name single people or recordings, so that no page or table may print them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples.table import SampleTable

__all__ = ["looks_identifying"]

_FEWEST = 3  # a column of fewer values identifies no one
_ALONE = 0.9  # share of the values that stand with one unit only
_PER_UNIT = 0.5  # distinct values for each unit


def looks_identifying(table: SampleTable, name: str, group: str | None = None) -> bool:
    """Whether a column is an identifier by the scan, or has nearly one value of its own for each patient or sample.

    The values of the column are compared with the units of the table: its samples, the values of its identifier
    columns (patients, studies), and the values of ``group``. The column looks identifying if, for any of these, at
    least 90 % of its values stand with one unit only, and it has a value for every second unit at least. A joined
    column of names is of this kind: each patient has one, and no other patient has it. A diagnosis is not.

    Args:
        table: The rows.
        name: A column of text, whole numbers or lists of them; columns of other types identify nobody, unless the scan
            says that they do.
        group: A further column of units, such as the one whose groups a split keeps whole.
    """
    if name in table.meta.identifiers:
        return True
    column = table.column(name)
    inner: Any = column.dtype
    while isinstance(inner, pl.List | pl.Array):
        inner = inner.inner
    text = inner in (pl.String, pl.Categorical) or isinstance(inner, pl.Enum)
    if not (text or inner.is_integer()):
        return False
    return any(_one_each(table, name, unit) for unit in _units(table, name, group))


def _units(table: SampleTable, name: str, group: str | None) -> Iterable[str]:
    units = dict.fromkeys([*(() if group is None else (group,)), *table.meta.identifiers, "sample"])
    return [unit for unit in units if unit in table.columns and unit != name and not _nested(table, unit)]


def _nested(table: SampleTable, name: str) -> bool:
    return table.column(name).dtype.is_nested()


def _one_each(table: SampleTable, name: str, unit: str) -> bool:
    frame = table.frame.select(pl.col(name).alias("value"), pl.Series("unit", table.codes(unit)))
    while frame["value"].dtype.is_nested():
        frame = frame.explode("value")
    pairs = frame.filter(pl.col("value").is_not_null() & (pl.col("unit") >= 0)).unique()
    values: NDArray[np.uint32] = pairs.group_by("value").len()["len"].to_numpy()
    enough = len(values) >= max(_FEWEST, _PER_UNIT * pairs["unit"].n_unique())
    return bool(enough and (values == 1).mean() >= _ALONE)
