"""Pseudo-values: what each group adds to a score that is computed over all groups together.

Balanced accuracy of all groups taken together is no mean of the groups' own scores: a group that holds one class has no
score of its own, yet it counts. The jackknife gives each group a number all the same (J. W. Tukey, 1958; R. G. Miller,
"The jackknife: a review", Biometrika 61(1), 1974).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.studies.design.measures import Measure

__all__ = ["pseudo_values"]


def pseudo_values(measure: Measure, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """``d[s, g] = G·θ_s − (G−1)·θ_s without g``, where θ_s is the score of all groups with seed s.

    For a plain mean over groups these are the groups' own numbers. Example: accuracies .5 and .9 of two groups of equal
    size: θ = .7, and the pseudo-value of the first is 2·.7 − .9 = .5.

    Args:
        measure: Computes a score from sums over groups.
        sums: float64 ``[S, G, K]``.

    Returns:
        float64 ``[S, G]``; NaN where the score is undefined, with all groups or without one.
    """
    groups = sums.shape[1]
    total = sums.sum(axis=1, keepdims=True)
    everything, without = measure.value(total), measure.value(_without_each(sums))
    numbers: NDArray[np.float64] = groups * everything - (groups - 1) * without
    return numbers


def _without_each(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over all groups but one, ``[S, G, K]``: added from both sides, as a difference would leave rounding."""
    before = np.zeros_like(sums)
    after = np.zeros_like(sums)
    before[:, 1:] = np.cumsum(sums[:, :-1], axis=1)
    after[:, :-1] = np.cumsum(sums[:, :0:-1], axis=1)[:, ::-1]
    return before + after
