"""Values of some columns by row, in few objects, so that worker processes share their memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import SampleTable

__all__ = ["RowFacts"]


class RowFacts:
    """``facts[row]`` is a dictionary of the row's values, as ``column.to_list()`` has them.

    A list of Python objects for each row would be copied, page by page, by each forked worker that reads it: reading
    changes an object's reference count. So numbers are kept as arrays, other values as codes of a list of the different
    values.

    Args:
        table: The rows.
        names: Names of the columns.
    """

    def __init__(self, table: SampleTable, names: Sequence[str]) -> None:
        self._columns = {name: _Column.of(table.column(name)) for name in names}

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {name: column.value(row) for name, column in self._columns.items()}


@dataclass(frozen=True)
class _Column:
    """Numbers by row, with the rows that have none; or codes by row of a list of different values."""

    numbers: NDArray[Any]
    missing: NDArray[np.bool_] | None = None
    different: list[Any] | None = None

    @classmethod
    def of(cls, series: pl.Series) -> _Column:
        if series.dtype.is_numeric() and not series.dtype.is_decimal():
            missing = series.is_null().to_numpy() if series.null_count() else None
            return cls(np.array(series.fill_null(0).to_numpy()), missing)
        if series.dtype.is_nested() or series.dtype == pl.Object:
            return cls(np.arange(len(series), dtype=np.int32), different=series.to_list())
        different = series.unique(maintain_order=True)
        codes = series.to_frame("value").join(
            different.to_frame("value").with_row_index("code"),
            on="value", how="left", nulls_equal=True, maintain_order="left",
        )["code"]  # fmt: skip
        return cls(codes.to_numpy().astype(np.int32), different=different.to_list())

    def value(self, row: int) -> Any:
        if self.different is not None:
            return self.different[int(self.numbers[row])]
        return None if self.missing is not None and self.missing[row] else self.numbers[row].item()
