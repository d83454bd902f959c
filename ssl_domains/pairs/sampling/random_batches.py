"""What random batches give an anchor in expectation, and whether that is enough.

A random batch is a uniform sample without replacement. The number of matches that an anchor meets in it is therefore
hypergeometric, and follows from the number of samples of the whole table that match the anchor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.drawing.degrees import sampled_matches

__all__ = ["ENOUGH", "match_counts", "share_served", "without_positive"]

Floats = NDArray[np.float64]

ENOUGH = 0.99
"""Random batches are enough when this share of the anchors that match any sample has a positive of another sample."""


def match_counts(bound: BoundObjective, relation: int) -> tuple[Floats, bool]:
    """How many other samples of the table match a sample in a relation.

    Returns:
        float64 ``[n]`` and True for all rows, or ``[a]`` and False for a subset that represents them, where applying
        the rule for all rows would take too long.
    """
    codes = bound.relations[relation].codes
    if codes is not None:
        sizes = np.bincount(codes[codes >= 0], minlength=1)
        return np.where(codes < 0, 0, sizes[codes] - 1).astype(np.float64), True
    counts, exact = sampled_matches(bound.relations[relation].rule, bound.drawer(relation).index, bound.size)
    return counts.astype(np.float64), exact


def without_positive(degrees: Floats, batch_size: int, rows: int) -> Floats:
    """The probability that an anchor has no positive of another sample in a random batch.

    Args:
        degrees: d, samples of the table that match each anchor, float64 ``[n]``.
        batch_size: B.
        rows: N, samples of the table.

    Returns:
        float64 ``[n]``: C(N−1−d, B−1) / C(N−1, B−1).
    """
    from scipy.special import gammaln  # importing it takes a moment

    # Samples that don't match, beyond those that fill a batch; below 0, every batch has a match.
    spare = rows - degrees - batch_size
    safe = np.maximum(spare, 0.0)
    log = gammaln(rows - degrees) - gammaln(safe + 1) - gammaln(rows) + gammaln(rows - batch_size + 1)
    return np.where(spare < 0, 0.0, np.exp(np.minimum(log, 0.0)))


def share_served(without: float, unmatched: float) -> float:
    """The share of anchors with a positive of another sample, among those that match any sample of the table.

    Args:
        without: Share of all anchors that have no such positive in their batch.
        unmatched: Share of all anchors that match no sample of the table, which no batch can help.

    Returns:
        From 0 to 1; 1 when no anchor matches any sample.
    """
    return 1.0 if unmatched >= 1 else max(0.0, 1 - without) / (1 - unmatched)
