"""Comparing positives with a column that the rule does not read: the label, or a nuisance such as the scanner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.bins import assign_bins, fit_edges
from ssl_domains.pairs.inspection.explained import MOSTLY
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable

__all__ = [
    "FEW_GROUPS",
    "LABEL_REMARK",
    "NEARLY_ALL",
    "Sharing",
    "chance_agreement",
    "comparable_codes",
    "mutual_information",
    "verdict",
]

Ints = NDArray[np.int64]

_MANY = 20  # distinct numbers from which a column is cut into ten bins
NEARLY_ALL = 0.95
_MORE = 0.1

FEW_GROUPS = 8
"""Groups (patients, recordings) with which a nuisance must be measured before it is judged. Where it varies within
groups, each different pair of group and value counts.

Eight groups can be divided into two scanners of four in 35 ways, so that a scanner agrees entirely with something
unrelated to it in one table of 35. Six groups can be divided in 10 ways only, and four in 3.
"""

LABEL_REMARK = "this alone does not tell a good rule from a bad one"
"""What stands beside the agreement of positives with a label.

Positives of one patient share the patient's label, too, but an encoder can tell patients apart without learning the
label.
"""


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
        groups: Groups, such as patients, that have a positive pair with both values known; None in a report of an
            earlier version.
        explained: Share of the uncertainty which pairs are positive that the distance of two values takes away (see
            `explained_share`); None for a label, a column without numbers, too few positives, or a report of an earlier
            version.
    """

    column: str
    role: str
    agreement: float | None
    chance: float
    recall: float | None
    nmi: float | None
    verdict: str
    groups: int | None = None
    explained: float | None = None


def comparable_codes(table: SampleTable, column: str) -> Ints:
    """Codes ``[n]`` of a column, −1 missing; numbers of many values are cut into ten bins of equal counts.

    Lists are compared as sets: two rows agree when they hold the same values, in any order.

    Raises:
        UsageError: When there is no such column.
    """
    dtype = table.column(column).dtype
    if dtype.is_nested():
        sets = [None if row is None else frozenset(map(str, row)) for row in table.column(column).to_list()]
        order: dict[frozenset[str], int] = {}
        return np.array([-1 if one is None else order.setdefault(one, len(order)) for one in sets], dtype=np.int64)
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


def verdict(
    column: str,
    role: str,
    agreement: float | None,
    chance: float,
    recall: float | None,
    groups: int | None = None,
    explained: float | None = None,
) -> str:
    """The numbers of a `Sharing` in words; fewer than `FEW_GROUPS` groups are said instead of a verdict.

    Args:
        column: Its name.
        role: ``"label"`` or ``"nuisance"``.
        agreement: As in `Sharing`.
        chance: As in `Sharing`.
        recall: As in `Sharing`.
        groups: Groups with which it was measured; None where there are enough of them, or their number doesn't matter.
        explained: As in `Sharing`; None where too few groups were seen to judge by it.
    """
    name = "the label" if role == "label" else f"the {column}"
    disguised = None
    if explained is not None and explained >= MOSTLY:
        share = f"{100 * explained:.0f} %"
        disguised = f"these positives are {column} in disguise: it explains {share} of which pairs are positive"
    if agreement is None:
        return disguised or "no positive pair has both values"
    if disguised is None and groups is not None and groups < FEW_GROUPS:
        return f"seen with only {plural(groups, 'group')}: too few to judge ({FEW_GROUPS} are the least)"
    if chance >= NEARLY_ALL:
        return f"nearly all pairs share {name}"
    if agreement >= NEARLY_ALL:
        if recall is not None and recall >= NEARLY_ALL:
            return f"these positives are {name}"
        return disguised or f"these positives share {name}, though not only they do"
    if disguised is not None:
        return disguised
    if agreement > chance + _MORE:
        return f"positives share {name} more often than chance"
    if agreement < chance - _MORE:
        return f"positives share {name} less often than chance"
    return f"positives share {name} about as often as chance"


def _entropy(counts: NDArray[np.int64]) -> float:
    p = counts / counts.sum()
    return float(-(p * np.log(p)).sum())
