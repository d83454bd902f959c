"""How much of a rule a measured number explains: whether "near in depth" tells which pairs are positive.

The measure is the uncertainty coefficient I(P; Δ) / H(P): P says whether a pair is positive, Δ is the distance of its
two values. It is 1 when the distance alone decides, and 0 when it tells nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.bound_rule import BoundRule

__all__ = ["MOSTLY", "RandomPairs", "explained_share"]

Ints = NDArray[np.int64]

MOSTLY = 0.5
"""Share of what decides about pairs from which on positives are said to be a column in disguise."""

_PAIRS = 2**19
_SLOW_PAIRS = 2**16  # for rules that search lists or edges
_FEW = 50  # positives, or negatives, below which nothing is said
_CLASSES = 20


class RandomPairs:
    """Random pairs of different rows, and whether a rule makes them positive; drawn once for equal sets of rows.

    Args:
        rule: The rule over a table; numbers that views emit count as unknown.
    """

    def __init__(self, rule: BoundRule) -> None:
        self._rule = rule
        self._rows: Ints = np.empty(0, np.int64)
        self._pairs: tuple[Ints, Ints, NDArray[np.bool_]] | None = None

    def explained_by(self, values: NDArray[np.float64]) -> float | None:
        """`explained_share` of the distances of values ``[rows]``, over pairs of rows that have one (not NaN)."""
        rows = np.flatnonzero(np.isfinite(values))
        if len(rows) < 2:
            return None
        if self._pairs is None or not np.array_equal(rows, self._rows):
            self._rows, self._pairs = rows, self._draw(rows)
        i, j, positive = self._pairs
        return explained_share(np.abs(values[i] - values[j]), positive)

    def _draw(self, rows: Ints) -> tuple[Ints, Ints, NDArray[np.bool_]]:
        rng = np.random.default_rng(0)
        first = rng.integers(0, len(rows), _SLOW_PAIRS if self._rule.searches else _PAIRS)
        second = (first + rng.integers(1, len(rows), len(first))) % len(rows)
        i, j = rows[first], rows[second]
        return i, j, self._rule.matches_pairwise(i, j)


def explained_share(distances: NDArray[np.float64], positive: NDArray[np.bool_]) -> float | None:
    """Share of the uncertainty whether a pair is positive that the distance of two values takes away, 0 to 1.

    Distances are cut at quantiles of all pairs and of the positive ones.

    Args:
        distances: float64 ``[n]``.
        positive: bool ``[n]``.

    Returns:
        None with fewer than 50 positive or 50 other pairs.
    """
    if positive.sum() < _FEW or (~positive).sum() < _FEW:
        return None
    levels = np.linspace(0, 1, _CLASSES + 1)
    both = [np.quantile(distances, levels, method="lower"), np.quantile(distances[positive], levels, method="lower")]
    edges = np.unique(np.concatenate(both))
    classes = np.searchsorted(edges, distances, side="left")  # a distance equal to an edge is below it
    counts = np.stack([np.bincount(classes[positive == yes], minlength=len(edges) + 1) for yes in (False, True)])
    whole = _entropy(counts.sum(axis=1))
    return max(0.0, (whole + _entropy(counts.sum(axis=0)) - _entropy(counts.reshape(-1))) / whole)


def _entropy(counts: Ints) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())
