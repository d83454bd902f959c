"""Kinds of rows, such as query and document: a seat of a slot holds rows of one kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import SampleTable

__all__ = ["COLUMNS", "Kinds"]

Ints = NDArray[np.int64]

COLUMNS = ("side", "kind")
"""Columns that give the kind of a row; the first one that a table has counts."""


@dataclass(frozen=True, eq=False)
class Kinds:
    """The kind of each row of a table.

    Attributes:
        column: Name of the column.
        names: Text of each kind.
        codes: int64 ``[n]``, numbers of the kinds; rows without a value are a kind of their own.
    """

    column: str
    names: tuple[str, ...]
    codes: Ints

    @classmethod
    def of(cls, table: SampleTable) -> Kinds | None:
        """The kinds of a table; None when it has neither column."""
        for name in COLUMNS:
            if name in table.columns and not table.column(name).dtype.is_nested():
                values = table.column(name).cast(pl.String).fill_null("(missing)")
                names = tuple(values.unique().sort().to_list())
                return cls(name, names, SampleTable.of({name: values}).codes(name))
        return None

    def rows_of(self, name: str) -> Ints:
        """Positions of the rows of a kind.

        Raises:
            UsageError: When there is no such kind.
        """
        if name not in self.names:
            raise UsageError(f"no row has {self.column} {name!r}", did_you_mean(name, self.names))
        return np.flatnonzero(self.codes == self.names.index(name)).astype(np.int64)

    def present(self, rows: Ints) -> list[str]:
        """The kinds of some rows."""
        return [self.names[code] for code in np.unique(self.codes[rows])]

    def only(self, rows: Ints, seat: str, hint: str) -> str | None:
        """The one kind of the rows of a seat; None without rows.

        Args:
            rows: Positions.
            seat: The seat, for the message.
            hint: How to mend it.

        Raises:
            UsageError: When there are several.
        """
        kinds = self.present(rows)
        if len(kinds) > 1:
            raise UsageError(f"{seat} would mix rows of {self.column} {_listed(kinds)}", hint)
        return kinds[0] if kinds else None


def _listed(names: Iterable[str]) -> str:
    quoted = [repr(name) for name in names]
    shown = quoted if len(quoted) <= 3 else [*quoted[:2], f"{len(quoted) - 2} others"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]])
