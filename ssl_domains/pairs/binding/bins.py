"""Bin edges: fitting them, and finding the bin of a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["assign_bins", "bins_per_group", "fit_edges", "width_edges", "wrapped"]


def width_edges(lo: float, hi: float, n: int) -> list[float]:
    """``n + 1`` edges of equal width, ``lo + (hi − lo)·k/n``; equal ones merge."""
    # Multiplying before dividing keeps whole numbers on an edge exactly on it.
    return _merge([lo + (hi - lo) * k / n for k in range(n)] + [hi])


def fit_edges(values: NDArray[np.float64], n: int, by: Literal["width", "quantile"]) -> list[float]:
    """Ascending edges over the finite values; a single edge for a constant column, none without values.

    Quantiles are interpolated linearly between the sorted values; the smallest is quantile 0, the largest quantile 1.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return []
    if by == "width":
        return width_edges(float(finite.min()), float(finite.max()), n)
    ordered = np.sort(finite)
    last = len(ordered) - 1
    edges = []
    for k in range(n + 1):
        below, rest = divmod(k * last, n)
        above = min(below + 1, last)
        # Written this way, two equal values give exactly that value, so a constant column has one edge.
        edges.append(float(ordered[below] + (ordered[above] - ordered[below]) * rest / n))
    return _merge(edges)


def assign_bins(values: NDArray[np.float64], edges: Sequence[float]) -> NDArray[np.int64]:
    """Bin of each value ``[n]``; −1 for NaN.

    Bins are ``[lo, hi)``, and the last includes its upper edge. Values outside the edges are in the first or last bin.
    With fewer than three edges there is one bin, 0.
    """
    inner = np.asarray(edges, dtype=np.float64)[1:-1]
    bin_ = np.searchsorted(inner, values, side="right").astype(np.int64)
    return np.where(np.isnan(values), -1, bin_)


def wrapped(values: NDArray[np.float64], lo: float, hi: float) -> NDArray[np.float64]:
    """Values moved into ``[lo, hi)`` by whole turns of ``hi − lo``; those inside stay exactly as they are."""
    with np.errstate(invalid="ignore"):
        moved = lo + np.mod(values - lo, hi - lo)
    # Rounding may put a value just below a border onto hi, which is lo again.
    moved = np.where(moved >= hi, lo, moved)
    return np.where((values >= lo) & (values < hi), values, moved)


def bins_per_group(
    values: NDArray[np.float64], groups: NDArray[np.int64], n: int, by: Literal["width", "quantile"]
) -> NDArray[np.int64]:
    """Bin of each value between edges fitted on its group's values; −1 where group (code −1) or value is missing."""
    result = np.full(len(values), -1, dtype=np.int64)
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-2))
    for rows in np.split(order, starts[1:]):
        if len(rows) and groups[rows[0]] >= 0:
            group = values[rows]
            result[rows] = assign_bins(group, fit_edges(group, n, by))
    return result


def _merge(edges: list[float]) -> list[float]:
    """Strictly ascending edges: equal ones, and those that rounding put below the one before, are dropped."""
    merged: list[float] = []
    for edge in edges:
        if not merged or edge > merged[-1]:
            merged.append(edge)
    return merged
