"""Values of a table as a page may print them: identifying ones are replaced by letters, A for the first one printed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import polars as pl

from ssl_domains.pairs.binding.reason import number
from ssl_domains.samples import SampleTable, looks_identifying

__all__ = ["MANY", "TableValues", "coded_columns"]

MANY = 30
"""A column of more distinct texts or whole numbers than this is taken for identifiers rather than for categories."""


def coded_columns(
    table: SampleTable, columns: Iterable[str], *, hidden: Collection[str] = (), measured: Collection[str] = ()
) -> frozenset[str]:
    """Columns whose values must not be printed: identifiers, ``hidden``, and texts or whole numbers of many values.

    Args:
        table: The rows.
        columns: The columns to decide about; ones that the table lacks are left out.
        hidden: Further identifying columns, such as the domain's group (a patient, a recording).
        measured: Columns that are read as quantities; they identify no one, however many values they have.
    """
    secret = {*table.meta.identifiers, *hidden, "path"}
    return frozenset(
        name
        for name in columns
        if name in table.columns
        and (name in secret or (name not in measured and (_many(table, name) or looks_identifying(table, name))))
    )


class TableValues:
    """Values of one table as they are printed; implements `ssl_domains.pairs.binding.reason.ShownValues`.

    Args:
        table: The rows.
        coded: Columns whose values become letters, in the order in which they are first printed.
    """

    def __init__(self, table: SampleTable, coded: Collection[str] = ()) -> None:
        self._table = table
        self._coded = frozenset(coded) | {*table.meta.identifiers, "path"}
        self._letters: dict[str, dict[object, str]] = {}

    def coded(self, column: str) -> bool:
        """Whether the column's values are printed as letters."""
        return column in self._coded

    def missing(self, column: str, row: int) -> bool:
        """Whether the row has no value there (null or NaN)."""
        value = self._table.column(column)[row]
        return value is None or (isinstance(value, float) and value != value)

    def text(self, column: str, row: int) -> str:
        """The value of one row, or its letter; ``missing`` where there is none."""
        if self.missing(column, row):
            return "missing"
        value = self._table.column(column)[row]
        if isinstance(value, pl.Series):
            members = [self.member(column, member) for member in value.drop_nulls().unique().sort().to_list()]
            return ", ".join(members[:8]) + (f" and {len(members) - 8} more" if len(members) > 8 else "") or "none"
        return self.member(column, value)

    def member(self, column: str, value: object) -> str:
        """One value, or one member of a list, of that column, or its letter."""
        if self.coded(column):
            known = self._letters.setdefault(column, {})
            return known.setdefault(value, _letter(len(known)))
        if isinstance(value, float):
            return number(value)
        text = str(value)
        return text if len(text) <= 40 else text[:39] + "…"

    def members(self, column: str, row: int) -> list[object]:
        """The distinct members of a list; empty where it is missing."""
        value = self._table.column(column)[row]
        return value.drop_nulls().unique(maintain_order=True).to_list() if isinstance(value, pl.Series) else []

    def is_time(self, column: str) -> bool:
        """Whether the column holds dates or times, whose differences count days."""
        return self._table.column(column).dtype.is_temporal()


def _many(table: SampleTable, name: str) -> bool:
    column = table.column(name)
    if isinstance(column.dtype, pl.List | pl.Array):
        column = column.explode()
    if column.dtype.is_float() or column.dtype.is_temporal() or column.dtype == pl.Boolean:
        return False
    return column.drop_nulls().n_unique() > MANY


def _letter(position: int) -> str:
    """A … Z, AA, AB …"""
    text = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        text = chr(ord("A") + rest) + text
    return text
