"""The trace of each cell of a grid: by a rule where the file is regular, else by a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.geometry.line_axis import LineAxis
from ssl_domains_seismic.geometry.pair_score import cells_of

__all__ = ["Grid", "grid_of"]


@dataclass(frozen=True)
class Grid:
    """Which trace lies in which cell.

    Attributes:
        inline: Axis of inlines.
        crossline: Axis of crosslines.
        regular: (trace of the first cell, traces from one inline to the next, from one crossline to the next) of a file
            that has every cell in regular order; else None.
        table: Trace of each cell, int64 ``[inlines, crosslines]``, −1 in holes; None for a regular file.
        dead: Cells whose trace is marked as dead, bool ``[inlines, crosslines]``; None when there are none.
        order: How the traces follow each other in the file, in words.
    """

    inline: LineAxis
    crossline: LineAxis
    regular: tuple[int, int, int] | None
    table: NDArray[np.int64] | None
    dead: NDArray[np.bool_] | None
    order: str

    @property
    def shape(self) -> tuple[int, int]:
        """Inlines, crosslines."""
        return self.inline.count, self.crossline.count

    def live(self) -> NDArray[np.bool_]:
        """Cells with a trace that isn't dead, bool ``[inlines, crosslines]``."""
        live = np.ones(self.shape, dtype=np.bool_) if self.table is None else self.table >= 0
        return live if self.dead is None else live & ~self.dead


def grid_of(
    inline: LineAxis, crossline: LineAxis, a: NDArray[np.int32], b: NDArray[np.int32], dead: NDArray[np.bool_] | None
) -> Grid:
    """Place the traces on the grid; of several traces in a cell the first of the file is taken.

    Args:
        inline: Axis of inlines.
        crossline: Axis of crosslines.
        a: Inline of each trace, int32 ``[n]``.
        b: Crossline of each trace, int32 ``[n]``.
        dead: Which traces are dead, bool ``[n]``; None for none.
    """
    cells, inside = cells_of(inline, crossline, a, b)
    traces = np.arange(len(a), dtype=np.int64)
    if inside is not None:
        cells, traces = cells[inside], traces[inside]
    flat = np.full(inline.count * crossline.count, -1, dtype=np.int64)
    flat[cells[::-1]] = traces[::-1]  # the last assignment holds
    table = flat.reshape(inline.count, crossline.count)
    of_cell = None
    if dead is not None and dead.any():
        of_cell = (table >= 0) & dead[np.maximum(table, 0)]
    rule = _rule(table)
    return Grid(inline, crossline, rule, None if rule else table, of_cell, _order(a, b, inline, crossline))


def _rule(table: NDArray[np.int64]) -> tuple[int, int, int] | None:
    first = int(table[0, 0])
    down = int(table[1, 0]) - first if len(table) > 1 else 0
    right = int(table[0, 1]) - first if table.shape[1] > 1 else 0
    rows, columns = (np.arange(count, dtype=np.int64) for count in table.shape)
    follows = first >= 0 and bool((table == first + down * rows[:, None] + right * columns).all())
    return (first, down, right) if follows else None


def _order(a: NDArray[np.int32], b: NDArray[np.int32], inline: LineAxis, crossline: LineAxis) -> str:
    """Which number changes from trace to trace, and whether numbers increase."""
    if inline.count == 1 or crossline.count == 1:
        return "one line"
    changes = [int(np.count_nonzero(np.diff(values))) for values in (a, b)]
    words = ["inline", "crossline"]
    outer = 0 if changes[0] <= changes[1] else 1
    fewest = (inline, crossline)[outer].count - 1
    if changes[outer] > 4 * max(fewest, 1):
        return "traces in no order of lines"
    said = []
    for number, values in ((outer, (a, b)[outer]), (1 - outer, (a, b)[1 - outer])):
        steps = np.diff(values.astype(np.int64))
        steps = steps[steps != 0]
        falling = int((steps < 0).sum()) > int((steps > 0).sum())
        said.append(f"{words[number]} numbers {'decrease' if falling else 'increase'}")
    return f"sorted by {words[outer]}; {said[0]}, {said[1]}"
