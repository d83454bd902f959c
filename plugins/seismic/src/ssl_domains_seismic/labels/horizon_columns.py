"""What the columns of a horizon file are: recognised by what fits the survey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_seismic.labels.column_choice import COLUMNS, distinct, only_choice
from ssl_domains_seismic.labels.grid import LabelGrid, nearest, span
from ssl_domains_seismic.labels.number_table import NumberTable

__all__ = ["HorizonColumns", "cells_of", "is_undefined", "recognised", "within_times"]

_ON_LINE = 0.01  # a line number that lies this near to one of the survey is that line
_UNDEFINED = (-999.0, -999.25, -999.9, -9999.0, -99999.0, 99999.0, 999999.0, 9999900.0, 9999999.0)
_HUGE = 1e20
_FACTORS = ((1.0, -1.0), (1000.0, -1000.0))  # ms and s, both also counted upwards; s only where nothing is in ms
_MOST_ROWS = 20_000  # that are looked at to recognise the columns

Pair = tuple[int, int]


@dataclass(frozen=True)
class HorizonColumns:
    """Places of the columns.

    Attributes:
        lines: Columns of inline and crossline; None where picks are placed by coordinates.
        coordinates: Columns of x and y; None where the file has none that agree with the survey's.
        time: Column of the times.
        factor: Factor from its values to ms: 1, -1, 1000 (seconds) or -1000.
    """

    lines: Pair | None
    coordinates: Pair | None
    time: int
    factor: float


def recognised(table: NumberTable, grid: LabelGrid, columns: Sequence[str] | None = None) -> HorizonColumns:
    """The columns of a table.

    Inline and crossline are the two columns that name cells of the survey in most rows, unless two columns are
    coordinates of cells in more than twice as many. The time is the column that is within the times of the survey in
    most rows that have a cell. Where several choices fit equally, coordinates decide, then the names of the columns.

    Args:
        table: The numbers.
        grid: The survey.
        columns: Names from `COLUMNS` or ``"-"`` for every column; None recognises them.

    Raises:
        ReadError: When nothing fits, or several choices fit equally.
    """
    values, names = table.values, table.names
    values = values[np.linspace(0, len(values) - 1, min(len(values), _MOST_ROWS)).astype(np.int64)]
    lines, coordinates, rest = None, None, list(range(values.shape[1]))
    if columns is not None:
        lines, coordinates, rest = _given(columns, values.shape[1])
    else:
        fitting = _line_choices(values, grid)
        found = _coordinate_choices(values, grid)
        if fitting and 2 * _rows_placed(values, grid, fitting[0], None) >= _most(values, grid, found):
            fitting = _agreeing(fitting, found, values, grid)
            lines = _pair(only_choice(fitting, names, COLUMNS[:2]))
            coordinates = next((pair for pair in found if _agrees(lines, pair, values, grid)), None)
        elif found:
            coordinates = _pair(only_choice(found, names, COLUMNS[2:4]))
        else:
            raise ReadError(_no_place(values, grid))
        rest = [column for column in rest if column not in (*(lines or ()), *(coordinates or ()))]
    placed = cells_of(values, grid, lines, coordinates)[0] >= 0
    if not placed.any():
        raise ReadError(_no_place(values, grid))
    time, factor = _time(values[placed], names, grid, rest)
    return HorizonColumns(lines, coordinates, time, factor)


def cells_of(
    values: NDArray[np.float64], grid: LabelGrid, lines: Pair | None, coordinates: Pair | None
) -> NDArray[np.int64]:
    """The cell of each row: places of its inline and crossline in the grid, ``[2, row]``; -1 both where it has none."""
    if lines is not None:
        tolerance: float | None = _ON_LINE
        inline, crossline = values[:, lines[0]], values[:, lines[1]]
    else:
        x, y = coordinates if coordinates is not None else (0, 1)
        tolerance = None
        inline, crossline = grid.lines_at(values[:, x], values[:, y])
    cells = np.stack([nearest(grid.inlines, inline, tolerance), nearest(grid.crosslines, crossline, tolerance)])
    return np.where((cells >= 0).all(0), cells, -1)


def is_undefined(values: NDArray[np.float64], ms: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether values stand for a missing pick: NaN, 1e30 and other huge numbers, -999.25 and the like.

    Args:
        values: Values of the column of times.
        ms: Times of the survey; a number among them is never a missing pick.
    """
    usual = np.isin(values, [each for each in _UNDEFINED if not ms[0] <= each <= ms[-1]])
    return ~np.isfinite(values) | (np.abs(values) >= _HUGE) | usual


def within_times(values: NDArray[np.float64], ms: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether times lie between the first and the last sample, or at most half a sample outside."""
    half = float(np.median(np.diff(ms))) / 2 if ms.size > 1 else 0.5
    within: NDArray[np.bool_] = (values >= ms[0] - half) & (values <= ms[-1] + half)
    return within


def _given(columns: Sequence[str], count: int) -> tuple[Pair | None, Pair | None, list[int]]:
    """Columns that the user named."""
    at = {name: place for place, name in enumerate(columns) if name != "-"}
    wrong = [name for name in at if name not in COLUMNS]
    if wrong or len(columns) != count:
        raise ReadError(
            f"{len(columns)} columns are named and it has {count}"
            if not wrong
            else f"{wrong[0]!r} is no column: name each of them {', '.join(COLUMNS)} or -"
        )
    lines = (at["inline"], at["crossline"]) if {"inline", "crossline"} <= at.keys() else None
    coordinates = (at["x"], at["y"]) if {"x", "y"} <= at.keys() else None
    if "time" not in at or (lines is None and coordinates is None):
        raise ReadError("the columns that are named need time, and inline and crossline or x and y")
    return lines, coordinates, [at["time"]]


def _line_choices(values: NDArray[np.float64], grid: LabelGrid) -> list[Pair]:
    """Pairs of columns that name cells in most rows, none when no row has a cell."""
    pairs = list(permutations(range(values.shape[1]), 2))
    best = _best({pair: _rows_placed(values, grid, pair, None) for pair in pairs})
    return distinct(best, lambda pair: cells_of(values, grid, pair, None))


def _coordinate_choices(values: NDArray[np.float64], grid: LabelGrid) -> list[Pair]:
    """Pairs of columns that are coordinates of cells in most rows."""
    if grid.affine is None:
        return []
    pairs = list(permutations(range(values.shape[1]), 2))
    best = _best({pair: _rows_placed(values, grid, None, pair) for pair in pairs})
    return distinct(best, lambda pair: cells_of(values, grid, None, pair))


def _agreeing(choices: list[Pair], found: list[Pair], values: NDArray[np.float64], grid: LabelGrid) -> list[Pair]:
    """Of several choices of lines those with which coordinates agree, if there are any."""
    agreeing = [each for each in choices if any(_agrees(each, pair, values, grid) for pair in found)]
    return agreeing if len(choices) > 1 and agreeing else choices


def _agrees(lines: Pair, coordinates: Pair, values: NDArray[np.float64], grid: LabelGrid) -> bool:
    """Whether coordinates lie in the cells of the lines in more than half of the rows that have both."""
    by_line, by_place = cells_of(values, grid, lines, None), cells_of(values, grid, None, coordinates)
    both = (by_line[0] >= 0) & (by_place[0] >= 0)
    return bool(both.any() and (by_line == by_place).all(0)[both].mean() > 0.5)


def _time(values: NDArray[np.float64], names: Sequence[str], grid: LabelGrid, rest: Sequence[int]) -> tuple[int, float]:
    """The column of times among the rest, and its factor to ms; ``values`` are the rows that have a cell."""
    for factors in _FACTORS:
        fitting = {
            (column, place): int(
                (~is_undefined(values[:, column], grid.ms) & within_times(factor * values[:, column], grid.ms)).sum()
            )
            for column in rest
            for place, factor in enumerate(factors)
        }
        best = distinct(_best(fitting), lambda choice: values[:, choice[0]])
        if best:
            (column,) = only_choice([(column,) for column, _ in best], names, COLUMNS[4:])
            return column, next(factors[place] for each, place in best if each == column)
    raise ReadError(f"no column has times within those of the survey, {span(grid.ms)} ms; {_ranges(values)}")


def _best(fitting: dict[Pair, int]) -> list[Pair]:
    most = max(fitting.values(), default=0)
    return [pair for pair, count in fitting.items() if count == most > 0]


def _rows_placed(values: NDArray[np.float64], grid: LabelGrid, lines: Pair | None, coordinates: Pair | None) -> int:
    return int((cells_of(values, grid, lines, coordinates)[0] >= 0).sum())


def _most(values: NDArray[np.float64], grid: LabelGrid, found: Sequence[Pair]) -> int:
    return _rows_placed(values, grid, None, found[0]) if found else 0


def _pair(columns: tuple[int, ...]) -> Pair:
    return columns[0], columns[1]


def _no_place(values: NDArray[np.float64], grid: LabelGrid) -> str:
    where = f"inlines {span(grid.inlines)}, crosslines {span(grid.crosslines)}"
    return f"no two of its columns are lines or coordinates of the survey ({where}); {_ranges(values)}"


def _ranges(values: NDArray[np.float64]) -> str:
    """The range of each column in words, for messages."""
    known = [column[np.isfinite(column)] for column in values.T]
    shown = [f"{column.min():g} to {column.max():g}" if column.size else "nothing" for column in known]
    return f"its columns have {', '.join(shown)}"
