"""Conditions on rows as a user writes them: ``age>=50``, ``modality=MR|CT``, ``label!=``. Nothing is evaluated."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples.identifiers import IdentifierKey
from ssl_domains.samples.table import SampleTable

__all__ = ["as_held", "matching_rows"]

_OPERATOR = re.compile(r"<=|>=|!=|==|=|<|>")
_ORDERED: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_HELP = "for example age>=50, modality=MR|CT, label!= (has a label)"


def matching_rows(table: SampleTable, conditions: Sequence[str], key: IdentifierKey | None = None) -> NDArray[np.bool_]:
    """Which rows fulfil all conditions, bool ``[n]``.

    ==================  ==============================================================
    ``COLUMN=VALUE``    equal; several values stand between bars: ``split=train|test``
    ``COLUMN!=VALUE``   not equal; rows without a value are kept
    ``COLUMN<VALUE``    also ``<=``, ``>``, ``>=``: for numbers and dates
    ``COLUMN=``         rows without a value
    ``COLUMN!=``        rows with a value
    ==================  ==============================================================

    An identifier may be given as the files have it, or as the hash that the table holds.

    Args:
        table: The samples.
        conditions: Texts of ``--where``.
        key: The key that hashed the identifiers; loaded when needed and not given.

    Raises:
        UsageError: When a condition has no operator, names no column, or has a value that the column can't have.
    """
    rows = np.ones(len(table), dtype=np.bool_)
    for text in conditions:
        rows &= _rows_of(table, text, key)
    return rows


def _rows_of(table: SampleTable, text: str, key: IdentifierKey | None) -> NDArray[np.bool_]:
    name, sign, value = _parts(text, table.columns)
    column = table.frame[name]
    if column.dtype.is_nested():
        raise UsageError(f"--where {text!r}: column {name!r} holds lists", "filter by another column")
    if column.dtype.is_float():
        column = column.fill_nan(None)
    if not value:
        if sign not in ("=", "!="):
            raise UsageError(f"--where {text!r} has no value to compare with", _HELP)
        return (column.is_null() if sign == "=" else column.is_not_null()).to_numpy()
    if sign in _ORDERED:
        if not (column.dtype.is_numeric() or column.dtype.is_temporal()):
            raise UsageError(f"--where {text!r}: column {name!r} holds {column.dtype}, which has no order", _HELP)
        ordered: pl.Series = _ORDERED[sign](column, as_held(f"--where {text!r}", column, value))
        return ordered.fill_null(False).to_numpy()
    wanted = [as_held(f"--where {text!r}", column, one.strip()) for one in value.split("|")]
    if name in table.meta.identifiers:
        digest = (key or IdentifierKey.load()).digest
        wanted += [digest(str(one)) for one in wanted]
    equal = column.is_in(pl.Series(wanted, dtype=column.dtype).implode()).fill_null(False).to_numpy()
    return equal if sign == "=" else ~equal


def _parts(text: str, columns: Sequence[str]) -> tuple[str, str, str]:
    """(column, operator, value). The first operator that follows the name of a column is taken."""
    found = list(_OPERATOR.finditer(text))
    if not found:
        raise UsageError(f"--where {text!r} is no condition", _HELP)
    for match in found:
        name = text[: match.start()].strip()
        if name in columns:
            return name, "=" if match[0] == "==" else match[0], text[match.end() :].strip()
    name = text[: found[0].start()].strip()
    raise UsageError(f"--where {text!r}: there is no column {name!r}", did_you_mean(name, columns))


def as_held(text: str, column: pl.Series, value: str) -> Any:
    """A value as the column holds it: a number, a date, a truth value or a text.

    Args:
        text: The option that gives the value, for the message.
        column: The column.
        value: The value as the user writes it.

    Raises:
        UsageError: When the column can't hold it.
    """
    dtype = column.dtype
    try:
        if dtype == pl.Boolean:
            return _TRUTH[value.lower()]
        if dtype.is_integer():
            number = float(value)
            return int(number) if number.is_integer() else number
        if dtype.is_numeric():
            return float(value)
        if dtype == pl.Date:
            return date.fromisoformat(value)
        if isinstance(dtype, pl.Datetime):
            return datetime.fromisoformat(value)
    except (ValueError, KeyError, OverflowError):
        raise UsageError(f"{text}: column {column.name!r} holds {dtype}, not {value!r}", _HELP) from None
    return value
