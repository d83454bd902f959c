"""Sums of a measure by seed and held-out group: what every score and every interval of a study is computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.studies.design.measures import Measure

__all__ = ["Common", "Evidence", "in_common"]


@dataclass(frozen=True)
class Evidence:
    """Sums of a measure by seed and held-out group, for one arm.

    Attributes:
        measure: Computes a score from the sums.
        sums: float64 ``[S, G, K]``; every group is tested in one fold. NaN where a group was not measured.
        groups: Names of the ``G`` groups.
        seeds: The ``S`` seeds.
    """

    measure: Measure
    sums: NDArray[np.float64]
    groups: tuple[str, ...]
    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check the shape.

        Raises:
            ValueError: When the shapes of sums, groups and seeds do not fit, or a group or seed occurs twice.
        """
        if self.sums.ndim != 3 or self.sums.shape[:2] != (len(self.seeds), len(self.groups)):
            raise ValueError(f"sums {self.sums.shape} for {len(self.seeds)} seeds and {len(self.groups)} groups")
        if len(set(self.groups)) < len(self.groups) or len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a group or a seed is there twice")

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Groups that were measured with every seed, bool ``[G]``."""
        complete: NDArray[np.bool_] = np.asarray(np.isfinite(self.sums).all(axis=(0, 2)))
        return complete


@dataclass(frozen=True)
class Common:
    """Arms restricted to the seeds and groups that all of them have.

    Attributes:
        sums: float64 ``[S, G, K]`` of each arm, in the same order of seeds and groups.
        groups: Names of the ``G`` groups.
        seeds: The ``S`` seeds.
        notes: Remarks on groups and seeds that were left out.
    """

    sums: tuple[NDArray[np.float64], ...]
    groups: tuple[str, ...]
    seeds: tuple[int, ...]
    notes: tuple[str, ...]


def in_common(arms: Sequence[Evidence]) -> Common:
    """Restrict arms to the groups and seeds that all of them have, in the order of the first arm.

    Raises:
        ValueError: When no group or no seed is measured in every arm.
    """
    seeds = tuple(one for one in arms[0].seeds if all(one in other.seeds for other in arms))
    known = [{one.groups[place] for place in np.flatnonzero(one.measured)} for one in arms]
    groups = tuple(name for name in arms[0].groups if all(name in these for these in known))
    if not seeds or not groups:
        raise ValueError("no seed and group is measured in every arm")
    notes = []
    every = {name for one in arms for name in one.groups}
    if len(groups) < len(every):
        notes.append(
            f"{len(every) - len(groups)} of {len(every)} groups are not measured in every seed and arm, and left out"
        )
    ran = {number for one in arms for number in one.seeds}
    if len(seeds) < len(ran):
        notes.append(f"{len(ran) - len(seeds)} of {len(ran)} seeds are not in every arm, and left out")
    sums = []
    for one in arms:
        place = {name: number for number, name in enumerate(one.groups)}
        rows = [one.seeds.index(number) for number in seeds]
        sums.append(one.sums[np.ix_(rows, [place[name] for name in groups])])
    return Common(tuple(sums), groups, seeds, tuple(notes))
