"""Bin edges: how they are fitted, and how numbers fall between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["assign_bins", "bins_per_group", "fit_edges", "width_edges"]


def width_edges(lo: float, hi: float, n: int) -> list[float]:
    """``n + 1`` edges of equal width, ``lo + (hi − lo)·k/n``; fewer when float64 can't tell them apart."""
    # Multiplied before dividing, so whole numbers on an edge stay exactly on it.
    return _merge([lo + (hi - lo) * k / n for k in range(n)] + [hi])


def fit_edges(values: NDArray[np.float64], n: int, by: Literal["width", "quantile"]) -> list[float]:
    """Ascending edges over the finite values; a single edge for a constant, none without values.

    Quantiles interpolate linearly between order statistics, the extremes being quantiles 0 and 1.
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
        # In this form equal neighbours give exactly their value: a constant column has one edge, whatever rounds.
        edges.append(float(ordered[below] + (ordered[above] - ordered[below]) * rest / n))
    return _merge(edges)


def assign_bins(values: NDArray[np.float64], edges: Sequence[float]) -> NDArray[np.int64]:
    """Bin of each value ``[n]``: ``[lo, hi)`` with the last closed; outside values clamp; −1 for NaN.

    With fewer than three edges there is one bin, 0.
    """
    inner = np.asarray(edges, dtype=np.float64)[1:-1]
    found = np.searchsorted(inner, values, side="right").astype(np.int64)
    return np.where(np.isnan(values), -1, found)


def bins_per_group(
    values: NDArray[np.float64], groups: NDArray[np.int64], n: int, by: Literal["width", "quantile"]
) -> NDArray[np.int64]:
    """As `assign_bins`, each group between its own edges; −1 where the group (code −1) or the value is missing."""
    result = np.full(len(values), -1, dtype=np.int64)
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-2))
    for rows in np.split(order, starts[1:]):
        if len(rows) and groups[rows[0]] >= 0:
            own = values[rows]
            result[rows] = assign_bins(own, fit_edges(own, n, by))
    return result


def _merge(edges: list[float]) -> list[float]:
    """Without repeats; rounding never lets edges run backwards."""
    merged: list[float] = []
    for edge in edges:
        if not merged or edge > merged[-1]:
            merged.append(edge)
    return merged
