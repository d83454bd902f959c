"""The column ``region`` of a sample table, read and checked against the shapes of the arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples.tables.types import region_numbers

__all__ = ["Parts", "parts_of"]

_ROWS_AT_A_TIME = 1 << 16  # of which the numbers are copied


@dataclass(frozen=True)
class Parts:
    """The part of its array that each row is.

    Attributes:
        starts: First place along each side, int64 ``[n, rank]``.
        stops: Place behind the last, int64 ``[n, rank]``; equal to ``starts`` for rows that are refused.
        refused: Row → why its region is refused, in one sentence.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    refused: dict[int, str] = field(default_factory=dict)


def parts_of(column: pl.Series, shapes: NDArray[np.int64], usable: NDArray[np.bool_], axes: str) -> Parts:
    """Read a column of regions, and check them against the shapes of the arrays.

    A region is a list of whole numbers, start and stop along each side, such as ``[0, 10, 5, 20]``, or the same as
    text, ``"0,10,5,20"`` or ``"[0, 10, 5, 20]"``. It may leave out the channels, of which it then has all. Null is the
    whole array.

    Args:
        column: The column.
        shapes: Sides of the array of each row, int64 ``[n, rank]``.
        usable: Rows that have an array, bool ``[n]``; others are not checked.
        axes: Name of the sides, for the sentences.
    """
    rank = shapes.shape[1]
    starts, stops = np.zeros_like(shapes), shapes.copy()
    numbers, named = region_numbers(column), column.is_not_null().to_numpy()
    refused: dict[int, str] = {}

    def refuse(rows: NDArray[np.int64], sentences: Sequence[str]) -> None:
        refused.update(zip(rows.tolist(), sentences, strict=True))
        starts[rows] = stops[rows] = 0

    lengths = numbers.list.len().fill_null(0).to_numpy().astype(np.int64)
    absent = numbers.is_null().to_numpy()
    # A null inside a list is text that is no number. Few tables have one, and to find its row takes much memory.
    filled = numbers if lengths.all() else numbers.filter(pl.Series(lengths > 0))
    if filled.explode().null_count():
        inside = numbers.list.eval(pl.element().is_null().any()).list.first().fill_null(True).to_numpy()
        absent = absent | inside
    lengths[absent] = -1
    sides = [rank, rank - 1] if axes.endswith("c") and rank > 1 else [rank]
    wrong = np.flatnonzero(usable & named & ~np.isin(lengths, [2 * count for count in sides]))
    refuse(wrong, [_no_region(column[row], int(lengths[row]), rank, axes) for row in wrong.tolist()])
    for count in sides:
        of_rank = np.flatnonzero(usable & named & (lengths == 2 * count))
        for first in range(0, len(of_rank), _ROWS_AT_A_TIME):
            rows = of_rank[first : first + _ROWS_AT_A_TIME]
            ends = np.stack([np.zeros_like(shapes[rows]), shapes[rows]], axis=2)
            ends[:, :count] = numbers.gather(rows).explode().to_numpy().astype(np.int64).reshape(len(rows), count, 2)
            starts[rows], stops[rows] = ends[:, :, 0], ends[:, :, 1]
            for faulty, sentence in (
                ((ends[:, :, 0] < 0), "starts before the array along {axis}"),
                ((ends[:, :, 1] <= ends[:, :, 0]), "is empty along {axis}"),
                ((ends[:, :, 1] > shapes[rows]), "ends outside the array of shape {shape} along {axis}"),
            ):
                bad = np.flatnonzero(faulty.any(axis=1))
                bad = bad[[row not in refused for row in rows[bad].tolist()]] if len(bad) else bad
                sentences = [
                    f"the region {ends[k].reshape(-1).tolist()} "
                    + sentence.format(axis=f"{axes[faulty[k].argmax()]!r}", shape=shapes[rows[k]].tolist())
                    for k in bad.tolist()
                ]
                refuse(rows[bad], sentences)
    starts[~usable] = stops[~usable] = 0
    return Parts(starts, stops, refused)


def _no_region(value: Any, length: int, rank: int, axes: str) -> str:
    shown = value if isinstance(value, str) else str(value.to_list() if isinstance(value, pl.Series) else value)
    if length < 0:
        return f"the region {shown} is no list of whole numbers"
    return f"the region {shown} has {length} numbers, axes {axes!r} need {2 * rank}: start and stop of each"
