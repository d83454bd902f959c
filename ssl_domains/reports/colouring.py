"""Colours of an embedding map by column, without printing values that may identify people or places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from ssl_domains.samples import SampleTable, looks_identifying

__all__ = ["CATEGORIES", "RAMP", "Colouring", "colourings"]

CATEGORIES = 10
"""Number of colours for categories; less frequent categories are grey."""
RAMP = 7
"""Number of colour steps for numeric columns."""


@dataclass(frozen=True)
class Colouring:
    """A colour class and a text for each row.

    Attributes:
        column: Name of the column.
        classes: CSS class of each row: ``c0``… for categories, ``s0``… for numbers, ``cx`` for rare categories and
            missing values.
        texts: Text of each row, shown on hover.
        legend: (CSS class, text) in order.
        numeric: Whether the colours are steps of a numeric scale.
    """

    column: str
    classes: list[str]
    texts: list[str]
    legend: list[tuple[str, str]]
    numeric: bool


def colourings(table: SampleTable, shown: Iterable[str], grouping: Iterable[str]) -> list[Colouring]:
    """One colouring for each column, ``shown`` columns first; missing, nested and constant columns are left out.

    Args:
        table: The rows of the map.
        shown: Columns whose values may be printed, such as labels and the split.
        grouping: Columns the rule reads. They may name people or places, so that text and integers are replaced by
            numbers in order of appearance. Columns that look like identifiers are always replaced.
    """
    out: dict[str, Colouring] = {}
    for names, coded in ((shown, False), (grouping, True)):
        for name in names:
            if name in out or name in ("sample", "path") or name not in table.columns:
                continue
            column = table.column(name)
            if column.dtype.is_nested() or column.drop_nulls().n_unique() < 2:
                continue
            out[name] = _colouring(column, coded=coded or looks_identifying(table, name))
    return list(out.values())


def _colouring(column: pl.Series, coded: bool) -> Colouring:
    many = column.dtype.is_float() or (column.dtype.is_integer() and not coded and column.n_unique() > 20)
    if many:
        return _ramp(column)
    counts = column.drop_nulls().value_counts(sort=True)
    ranked = counts.sort(["count", column.name], descending=[True, False])[column.name].to_list()
    first = {value: number for number, value in enumerate(dict.fromkeys(column.drop_nulls().to_list()), start=1)}

    def text(value: object) -> str:
        if value is None:
            return "missing"
        return f"no. {first[value]}" if coded else str(value)

    top = sorted(ranked[:CATEGORIES], key=lambda value: first[value]) if coded else sorted(ranked[:CATEGORIES], key=str)
    colour = {value: f"c{number}" for number, value in enumerate(top)}
    values = column.to_list()
    legend = [(colour[value], text(value)) for value in top]
    others = len(ranked) - len(top)
    if others:
        legend.append(("cx", f"{others} more"))
    elif column.null_count():
        legend.append(("cx", "missing"))
    return Colouring(
        column.name, [colour.get(value, "cx") for value in values], [text(value) for value in values], legend, False
    )


def _ramp(column: pl.Series) -> Colouring:
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    finite = values[np.isfinite(values)]
    low, high = float(finite.min()), float(finite.max())
    width = (high - low) or 1.0
    steps = np.clip(np.nan_to_num((values - low) / width) * RAMP, 0, RAMP - 1).astype(int)
    known = np.isfinite(values)
    classes = [f"s{step}" if ok else "cx" for step, ok in zip(steps, known, strict=True)]
    texts = [f"{value:.4g}" if ok else "missing" for value, ok in zip(values, known, strict=True)]
    legend = [(f"s{step}", _edge(step, low, high)) for step in range(RAMP)]
    if not known.all():
        legend.append(("cx", "missing"))
    return Colouring(column.name, classes, texts, legend, True)


def _edge(step: int, low: float, high: float) -> str:
    return f"{low:.4g}" if step == 0 else f"{high:.4g}" if step == RAMP - 1 else ""
