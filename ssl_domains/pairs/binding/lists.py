"""A column of lists as the members of each row, for `overlap`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.samples import SampleTable

__all__ = ["MemberLists", "list_members"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class MemberLists:
    """The lists of a table as CSR.

    Attributes:
        starts: int64 ``[size + 1]``.
        members: int64 ``[starts[-1]]``, dense codes, ascending and distinct within a row.
        known: bool ``[size]``, False where the list is missing; an empty list is known.
    """

    starts: Ints
    members: Ints
    known: NDArray[np.bool_]

    @cached_property
    def distinct(self) -> int:
        """Number of codes: every member is below it."""
        return int(self.members.max(initial=-1)) + 1


def list_members(table: SampleTable, name: str) -> MemberLists:
    """The distinct members of each list of a column.

    Args:
        table: The rows.
        name: A column of lists; null and NaN members are left out.

    Raises:
        UsageError: When there is no such column, or it does not hold lists of text, numbers or dates.
    """
    column = table.column(name)
    if isinstance(column.dtype, pl.Array):
        column = column.arr.to_list()
    if column.dtype == pl.Null:
        nothing = np.zeros(0, dtype=np.int64)
        return MemberLists(np.zeros(len(column) + 1, dtype=np.int64), nothing, np.zeros(len(column), np.bool_))
    if not isinstance(column.dtype, pl.List):
        hint = "use same() for one value a row; text becomes a list by polars' str.split()"
        raise UsageError(f"column {name!r} holds {column.dtype}, not lists, which overlap() compares", hint)
    if column.dtype.inner.is_nested():
        raise UsageError(f"column {name!r} holds {column.dtype}", "overlap() takes lists of text, numbers or dates")
    sizes = column.list.len().fill_null(0).to_numpy().astype(np.int64)
    rows = np.repeat(np.arange(len(column)), sizes)
    members = column.filter(pl.Series(sizes > 0)).explode()
    if members.dtype.is_float():
        members = members.fill_nan(None)
    codes = (members.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy().astype(np.int64)
    rows, codes = rows[codes >= 0], codes[codes >= 0]
    width = int(codes.max(initial=0)) + 1
    distinct = np.unique(rows * width + codes)
    counts = np.bincount(distinct // width, minlength=len(column))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return MemberLists(starts, distinct % width, ~column.is_null().to_numpy())
