"""The paired difference of two arms, measured on the same groups with the same seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.studies.evidence.interval import Interval, interval_around
from ssl_domains.studies.evidence.jackknife import pseudo_values
from ssl_domains.studies.evidence.sums import Evidence, in_common

__all__ = ["Contrast", "contrast"]


@dataclass(frozen=True)
class Contrast:
    """A paired difference of two arms, a − b.

    Attributes:
        difference: ``a_value − b_value``; NaN when undefined.
        interval: Its interval, p-value and smallest detectable difference.
        per_group: float64 ``[G]``, difference of each group's own scores, mean over seeds; NaN where a group has none.
        per_seed: float64 ``[S]``, difference of each seed over all groups.
        a_value: Score of a over all groups, mean over seeds.
        b_value: Score of b.
        groups: Names of the ``G`` groups of ``per_group``.
        seeds: The ``S`` seeds of ``per_seed``.
        notes: Remarks, such as groups that were left out or a score that is undefined.
    """

    difference: float
    interval: Interval
    per_group: NDArray[np.float64]
    per_seed: NDArray[np.float64]
    a_value: float
    b_value: float
    groups: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def contrast(a: Evidence, b: Evidence, *, level: float = 0.95) -> Contrast:
    """The paired difference of two arms over the groups and seeds that both have.

    Each arm's score is that of all groups together. The difference of the arms' pseudo-values (see `pseudo_values`) by
    seed and group gives the interval, by two-way random effects (see `random_effects`).

    Args:
        a: Sums of one arm.
        b: Sums of the other arm, of the same measure.
        level: Level of the interval, in (0, 1).

    Raises:
        ValueError: When the measures differ, or no group or no seed is in both arms.
    """
    if a.measure.name != b.measure.name:
        raise ValueError(f"{a.measure.name!r} can't be compared with {b.measure.name!r}")
    measure, common = a.measure, in_common([a, b])
    of_a, of_b = common.sums
    scores = [measure.value(sums.sum(axis=1)) for sums in common.sums]
    per_seed = scores[0] - scores[1]
    per_group = (measure.value(of_a) - measure.value(of_b)).mean(axis=0)
    difference = float(per_seed.mean())
    notes = list(common.notes)
    undefined = int(np.isnan(per_group).sum())
    if undefined:
        notes.append(
            f"{undefined} of {len(per_group)} groups have no {measure.name} of their own; they count in the whole"
        )
    if math.isnan(difference):
        notes.append(f"{measure.name} is undefined over these groups")
    numbers = [pseudo_values(measure, sums) for sums in common.sums]
    size = float(np.abs(numbers).max(initial=0.0))
    found = interval_around(difference, numbers[0] - numbers[1], size, level)
    return Contrast(
        difference, found, per_group, per_seed, float(scores[0].mean()), float(scores[1].mean()),
        common.groups, common.seeds, (*notes, *found.notes),
    )  # fmt: skip
