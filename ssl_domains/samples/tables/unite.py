"""Unite two ids of one group: one speaker, patient or recording that an archive holds under two names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.quantities import plural
from ssl_domains.samples.identifiers import IdentifierKey
from ssl_domains.samples.table import SampleTable
from ssl_domains.samples.tables.conditions import as_held

__all__ = ["united"]

_HELP = "for example speaker:S13=S05, after which the rows of S13 are rows of S05"


def united(
    table: SampleTable, ids: Sequence[str], key: IdentifierKey | None = None
) -> tuple[SampleTable, tuple[str, ...]]:
    """Give the rows of one id another id, and with it the side of the split on which the other one is.

    ``speaker:S13=S05`` means that S13 and S05 are one speaker, called S05 from now on. If all rows of S05 are on one
    side of the column ``split``, the rows of S13 move there, so that the speaker is on one side only.

    Args:
        table: The samples.
        ids: Texts ``COLUMN:ID=OTHER``, applied one after the other. An identifier may be given as the files have it, or
            as the hash that the table holds.
        key: The key that hashed the identifiers; loaded when needed and not given.

    Returns:
        The table, and a sentence for each of ``ids``.

    Raises:
        UsageError: When a text has another form, or names a column or an id that the table doesn't have.
    """
    notes = []
    for text in ids:
        table, note = _united(table, text, key)
        notes.append(note)
    return table, tuple(notes)


def _united(table: SampleTable, text: str, key: IdentifierKey | None) -> tuple[SampleTable, str]:
    name, given, other = _parts(text, table.columns)
    rows, old = _rows_of(table, text, name, given, key)
    kept, new = _rows_of(table, text, name, other, key)
    if old == new:
        raise UsageError(f"--ids {text!r}: both are one id already", _HELP)
    hidden = name in table.meta.identifiers  # no message names a patient
    note = f"{name}: {plural(int(rows.sum()), 'row')} " + (
        "of one id now have the other one" if hidden else f"of {given!r} are now {other!r}"
    )
    made = _replaced(table, name, rows, new)
    if "split" not in table.columns or name == "split":
        return made, note
    sides = table.text("split").filter(pl.Series(kept)).unique().to_list()
    if len(sides) > 1:
        return made, f"{note}; that one is on several sides of the split, so each row keeps its side"
    moved = sum(side != sides[0] for side in table.text("split").filter(pl.Series(rows)).to_list())
    if not moved:
        return made, note
    verb = "was" if moved == 1 else "were"
    return _replaced(made, "split", rows, sides[0]), f"{note}; {moved:,} {verb} on another side of the split"


def _replaced(table: SampleTable, name: str, rows: NDArray[np.bool_], value: Any) -> SampleTable:
    """The table with one value in some rows of a column."""
    values = table.frame[name].to_list()
    changed = [value if row else old for row, old in zip(rows.tolist(), values, strict=True)]
    return table.with_columns(**{name: pl.Series(name, changed, dtype=table.frame[name].dtype)})


def _parts(text: str, columns: Sequence[str]) -> tuple[str, str, str]:
    """(column, id, other id)."""
    name, _, ids = text.partition(":")
    given, sign, other = ids.partition("=")
    name, given, other = name.strip(), given.strip(), other.strip()
    if not (name and sign and given and other):
        raise UsageError(f"--ids {text!r} has not the form COLUMN:ID=OTHER", _HELP)
    if name not in columns:
        raise UsageError(f"--ids {text!r}: there is no column {name!r}", did_you_mean(name, columns))
    if name == "sample":
        raise UsageError(f"--ids {text!r}: each sample has an id of its own", "name the column of a group")
    return name, given, other


def _rows_of(
    table: SampleTable, text: str, name: str, value: str, key: IdentifierKey | None
) -> tuple[NDArray[np.bool_], Any]:
    """(which rows have this id, the id as the column holds it)."""
    column = table.frame[name]
    if column.dtype.is_nested():
        raise UsageError(f"--ids {text!r}: column {name!r} holds lists", "name a column of single values")
    held = as_held(f"--ids {text!r}", column, value)
    tried = [held]
    if name in table.meta.identifiers:
        tried.append((key or IdentifierKey.load()).digest(str(held)))
    for one in tried:
        rows = (column == one).fill_null(False).to_numpy()
        if rows.any():
            return rows, one
    if name in table.meta.identifiers:
        hint = "give ids as the files have them, or as the table has them"
    else:
        hint = did_you_mean(value, column.drop_nulls().unique().cast(pl.String).to_list())
    raise UsageError(f"--ids {text!r}: no row has the {name} {value!r}", hint)
