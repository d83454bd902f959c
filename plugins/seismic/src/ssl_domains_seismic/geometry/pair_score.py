"""How well a pair of header words numbers the traces of a grid: fill, duplicates, and the gates to pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.geometry.line_axis import LineAxis, line_axis

__all__ = ["CANDIDATES", "MOST_DUPLICATES", "PairScore", "pair_score"]

CANDIDATES = ((189, 193), (9, 21), (5, 21), (17, 25))
"""Pairs of words that commonly hold inline and crossline."""
MOST_DUPLICATES = 0.01
LEAST_FILL = 0.1
_LEAST_TRACES = 1.5  # on a line, in the mean: a number that no other trace has is no line number


@dataclass(frozen=True)
class PairScore:
    """One pair of words as line numbers.

    Attributes:
        words: First bytes of the words of inline and crossline.
        inline: Axis of inlines; None when the words are no lines.
        crossline: Axis of crosslines.
        filled: Cells of the grid that have a trace.
        duplicates: Traces in a cell that has one already.
        outliers: Traces whose numbers are not on the axes.
        traces: All traces.
    """

    words: tuple[int, int]
    inline: LineAxis | None
    crossline: LineAxis | None
    filled: int
    duplicates: int
    outliers: int
    traces: int

    @property
    def cells(self) -> int:
        """Cells of the grid."""
        return 0 if self.inline is None or self.crossline is None else self.inline.count * self.crossline.count

    @property
    def fill(self) -> float:
        """Share of the cells that have a trace."""
        return self.filled / self.cells if self.cells else 0.0

    @property
    def duplicate_share(self) -> float:
        """Share of the traces that are duplicates."""
        return self.duplicates / self.traces

    @property
    def failure(self) -> str | None:
        """The gate that the pair doesn't pass, in words; None when it passes all."""
        if self.inline is None or self.crossline is None:
            return "numbers too far apart to be lines"
        if self.inline.count == 1 and self.crossline.count == 1:
            return "the same number in all traces"
        if self.inline.count == 1 or self.crossline.count == 1:
            return "one of the two is the same in all traces"
        if self.duplicate_share > MOST_DUPLICATES:
            return f"{100 * self.duplicate_share:.3g} % of the traces share a cell with another"
        if self.fill < LEAST_FILL:
            return f"{100 * self.fill:.2g} % of the cells have a trace"
        if self.filled < _LEAST_TRACES * max(self.inline.count, self.crossline.count):
            return "most numbers have a single trace"
        return None


def pair_score(words: tuple[int, int], a: NDArray[np.int32], b: NDArray[np.int32]) -> PairScore:
    """Count how a pair of words numbers the traces.

    Args:
        words: First bytes of the words.
        a: Inline word of each trace, int32 ``[n]``.
        b: Crossline word of each trace, int32 ``[n]``.
    """
    inline, crossline = line_axis(a), line_axis(b)
    if inline is None or crossline is None:
        return PairScore(words, inline, crossline, 0, 0, 0, len(a))
    cells, inside = cells_of(inline, crossline, a, b)
    kept = cells if inside is None else cells[inside]
    size = inline.count * crossline.count
    if size <= 16 * len(a) + (1 << 20):
        seen = np.zeros(size, dtype=np.bool_)
        seen[kept] = True
        filled = int(np.count_nonzero(seen))
    else:
        filled = len(np.unique(kept))
    return PairScore(words, inline, crossline, filled, len(kept) - filled, len(a) - len(kept), len(a))


def cells_of(
    inline: LineAxis, crossline: LineAxis, a: NDArray[np.int32], b: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Cell of each trace, counted along crosslines first, int64 ``[n]``; and which traces have one, None for all."""
    rows, on_inline = inline.places(a)
    columns, on_crossline = crossline.places(b)
    masks = [mask for mask in (on_inline, on_crossline) if mask is not None]
    return rows * crossline.count + columns, np.logical_and.reduce(masks) if masks else None
