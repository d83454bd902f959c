"""How many anchors of a planned epoch have a positive of another sample, and why so few of them that this is SimCLR.

An anchor without such a positive has only its own views as positives, as in SimCLR. A rule that leaves nearly all
anchors so is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.inspection.facts import percent
from ssl_domains.pairs.sampling.batch_sampler import BatchSampler
from ssl_domains.pairs.sampling.random_batches import match_counts

__all__ = ["EQUALS_SIMCLR", "Coverage", "coverage_of"]

EQUALS_SIMCLR = 0.95
"""Share of anchors without a positive of another sample from which training equals SimCLR in practice."""


@dataclass(frozen=True)
class Coverage:
    """Anchors of the planned epoch that have no positive of another sample in any relation.

    Attributes:
        without: Their share of all anchors; rows without the values that the rule reads are anchors, too.
        batches: Batches in which they were counted.
        unmatched: Share of the rows that match no other row of the table in any relation, which no batch can help;
            for several relations whose matches were counted for some rows only, the smallest share of a relation. None
            where ``without`` is no reason to refuse: it is not counted then.
    """

    without: float
    batches: int
    unmatched: float | None

    @property
    def equals_simclr(self) -> bool:
        """Whether training on these pairs is SimCLR in practice."""
        return self.without >= EQUALS_SIMCLR

    @property
    def sentence(self) -> str:
        """The shares in words."""
        unmatched = "" if self.unmatched is None else f"; {percent(self.unmatched)} of rows match no row of the table"
        return (
            f"{percent(self.without)} of all anchors have no positive of another sample in the {self.batches:,} "
            f"planned batches{unmatched}: in practice this equals SimCLR"
        )

    def cure(self, bound: BoundObjective, sampler: BatchSampler, missing: Sequence[str]) -> str:
        """How to get more positives.

        Args:
            bound: The objective.
            sampler: The batches.
            missing: Columns of the rule that have missing values, most of them first.
        """
        kind = "draw" if bound.relations[0].codes is None else "groups"
        anyway = "--anyway (pairs.anyway = true) trains it all the same"
        if (self.unmatched or 0.0) < EQUALS_SIMCLR and sampler.composition.kind == "random":
            return f"compose batches by the rule: --set pairs.composition={kind}; {anyway}"
        if missing:
            kept = f"ssl-domains tables filter TABLE --where '{missing[0]}!=' -o OUT"
            return f"keep the rows that have the rule's values: {kept}; {anyway}"
        return f"take columns that more samples share, a wider window or fewer bins; {anyway}"


def coverage_of(bound: BoundObjective, met: Sequence[NDArray[np.int64] | None]) -> Coverage | None:
    """The anchors without a positive of another sample in any relation.

    Args:
        bound: The objective over the training rows.
        met: For each relation, the positives of other samples that each anchor has, int64 ``[batches, anchors]``; None
            where only the views tell.

    Returns:
        The shares; None without relations, or where only the views tell.
    """
    known = [counts for counts in met if counts is not None]
    if not known or len(known) < len(met):
        return None
    batches = min(len(counts) for counts in known)
    without = float(1 - np.logical_or.reduce([counts[:batches] > 0 for counts in known]).mean())
    if without < EQUALS_SIMCLR:
        return Coverage(without, batches, None)
    degrees = [match_counts(bound, number) for number in range(len(bound.relations))]
    if all(exact for _, exact in degrees):
        unmatched = float(np.logical_and.reduce([degree == 0 for degree, _ in degrees]).mean())
    else:
        unmatched = min(float((degree == 0).mean()) for degree, _ in degrees)
    return Coverage(without, batches, unmatched)
