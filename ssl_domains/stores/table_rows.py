"""Rows of a table as mappings that are made when they are read, so that those of a file need not be in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["ChangedRows", "TableRows"]

_BLOCK = 1024  # rows that are mappings at a time


class TableRows(Sequence[Mapping[str, Any]]):
    """Some rows of a table in an order, as a sequence of mappings from column to value.

    Args:
        frame: The table.
        numbers: Numbers of the rows, int64 ``[n]``.
    """

    def __init__(self, frame: pl.DataFrame, numbers: NDArray[np.int64]) -> None:
        self._frame, self._numbers = frame, numbers
        self._first, self._made = -1, list[dict[str, Any]]()

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, at: int | slice) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        if isinstance(at, slice):
            return TableRows(self._frame, self._numbers[at])
        place = range(len(self))[at]  # also counts from the end, and raises IndexError
        first = place - place % _BLOCK
        if first != self._first:
            self._made = self._frame[self._numbers[first : first + _BLOCK]].to_dicts()
            self._first = first
        return self._made[place - first]

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return (self[at] for at in range(len(self)))


class ChangedRows(Sequence[Mapping[str, Any]]):
    """A sequence of rows, each seen through a function that is called when the row is read.

    Args:
        rows: The rows.
        change: Returns what is read in the place of a row.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], change: Callable[[Any], Mapping[str, Any]]) -> None:
        self._rows, self._change = rows, change

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, at: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, at: int | slice) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        if isinstance(at, slice):
            return ChangedRows(self._rows[at], self._change)
        return self._change(self._rows[at])

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return map(self._change, self._rows)
