"""Comparing positives with a column that the rule does not read: the label, or a nuisance such as the scanner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.pairs.binding.bins import assign_bins, fit_edges
from ssl_domains.samples import SampleTable

__all__ = ["Sharing", "chance_agreement", "comparable_codes", "mutual_information", "verdict"]

Ints = NDArray[np.int64]

_MANY = 20  # distinct numbers from which a column is cut into ten bins
_NEARLY_ALL = 0.95
_MORE = 0.1


@dataclass(frozen=True)
class Sharing:
    """How one relation compares with one column.

    Attributes:
        column: Its name.
        role: ``"label"`` or ``"nuisance"``.
        agreement: Share of positive pairs (of two samples, both values known) whose values are equal; None without such
            pairs.
        chance: Share of all pairs of samples whose values are equal.
        recall: Share of the pairs with equal values that are positive; None without such pairs.
        nmi: Mutual information of the rule's groups and the column, divided by the mean of their entropies, 0 to 1;
            None for a rule without groups.
        verdict: These numbers in words.
    """

    column: str
    role: str
    agreement: float | None
    chance: float
    recall: float | None
    nmi: float | None
    verdict: str


def comparable_codes(table: SampleTable, column: str) -> Ints:
    """Codes ``[n]`` of a column, −1 missing; numbers of many values are cut into ten bins of equal counts.

    Raises:
        UsageError: When there is no such column or it holds lists.
    """
    dtype = table.column(column).dtype
    if dtype.is_nested():
        raise UsageError(f"column {column!r} holds lists, which pairs are not compared with", "give one value a row")
    codes = table.codes(column)
    if dtype.is_numeric() and codes.max(initial=-1) >= _MANY:
        values = table.numbers(column)
        return assign_bins(values, fit_edges(values, 10, "quantile"))
    return codes


def chance_agreement(codes: Ints) -> float:
    """Share of pairs of known rows with equal codes; 0 without pairs."""
    sizes = np.bincount(codes[codes >= 0], minlength=1).astype(np.float64)
    total = sizes.sum()
    return float((sizes * (sizes - 1)).sum() / (total * (total - 1))) if total > 1 else 0.0


def mutual_information(a: Ints, b: Ints) -> float:
    """I(a; b) / ((H(a) + H(b)) / 2) over the rows where both are known; 0 when neither varies."""
    known = (a >= 0) & (b >= 0)
    a, b = a[known], b[known]
    if not len(a):
        return 0.0
    entropies = [_entropy(np.unique(codes, return_counts=True)[1]) for codes in (a, b, a * (b.max() + 1) + b)]
    mean = (entropies[0] + entropies[1]) / 2
    return max(0.0, (entropies[0] + entropies[1] - entropies[2]) / mean) if mean > 0 else 0.0


def verdict(column: str, role: str, agreement: float | None, chance: float, recall: float | None) -> str:
    """The numbers of a `Sharing` in words."""
    name = "the label" if role == "label" else f"the {column}"
    if agreement is None:
        return "no positive pair has both values"
    if chance >= _NEARLY_ALL:
        return f"nearly all pairs share {name}"
    if agreement >= _NEARLY_ALL:
        if recall is not None and recall >= _NEARLY_ALL:
            return f"these positives are {name}"
        return f"these positives share {name}, though not only they do"
    if agreement > chance + _MORE:
        return f"positives share {name} more often than chance"
    if agreement < chance - _MORE:
        return f"positives share {name} less often than chance"
    return f"positives share {name} about as often as chance"


def _entropy(counts: NDArray[np.int64]) -> float:
    p = counts / counts.sum()
    return float(-(p * np.log(p)).sum())
