"""How a batch is composed; a plain description that needs neither NumPy nor torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from ssl_domains.errors import UsageError, did_you_mean

__all__ = ["Composition", "Kind"]

Kind = Literal["auto", "random", "groups", "draw", "partner"]


@dataclass(frozen=True)
class Composition:
    """Which samples are in a batch together. Which of them are positives is up to the objective.

    Attributes:
        kind: ``"random"``: the data's own distribution. ``"groups"``: ``per_group`` samples from each of
            ``batch_size / per_group`` groups of the relation's code. ``"draw"``: seeds, each with ``per_group − 1``
            drawn positives. ``"partner"``: seeds; every second view of a seed is made of a drawn positive, its partner
            (Azizi et al., "Big self-supervised models advance medical image classification", 2021, MICLe; Vu et al.,
            "MedAug", 2021). ``"auto"``: random when at least 99 % of the anchors that match any sample of the table
            then have a positive of another sample; else groups for a relation that is equality of codes, else draw.
            Never partner, which changes what a view is.
        per_group: K ≥ 2, samples of one group, or a seed and its drawn positives. With ``groups`` and ``draw`` it must
            divide the batch size.
        compose_by: Number of the relation that batches are composed by.
        exponent: For ``groups``: each group's share of the epoch is proportional to ``size ** exponent``, from 1 (every
            sample equally often) to 0 (every group equally often).
        reason: Why ``auto`` chose this kind; ignored by ``==``.

    Raises:
        UsageError: When a value is out of these.
    """

    kind: Kind = "auto"
    per_group: int = 2
    compose_by: int = 0
    exponent: float = 1.0
    reason: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise UsageError(f"there is no composition {self.kind!r}", did_you_mean(str(self.kind), get_args(Kind)))
        if self.per_group < 2:
            raise UsageError(f"per_group is {self.per_group}", "a group needs at least 2 samples to hold a pair")
        if self.compose_by < 0:
            raise UsageError(f"compose_by is {self.compose_by}", "it counts the objective's relations from 0")
        if not (math.isfinite(self.exponent) and 0 <= self.exponent <= 1):
            raise UsageError(f"exponent is {self.exponent}", "from 0 (groups alike) to 1 (samples alike)")

    def fitting_batch(self, largest: int, processes: int = 1) -> int:
        """The largest possible batch size, for when the user gives none.

        Args:
            largest: What the batch size may be at most, such as the number of training rows.
            processes: Processes that share a batch.

        Returns:
            The largest multiple of ``processes``, and of ``per_group`` for a kind that needs it or an ``auto`` that may
            choose such a kind; ``largest`` when there is no such multiple.
        """
        multiple = math.lcm(processes, self.per_group if self.kind in ("auto", "groups", "draw") else 1)
        return largest // multiple * multiple or largest

    @property
    def meaning(self) -> str:
        """What a batch contains, in words."""
        if self.kind == "groups":
            return f"{self.per_group} samples from each of several groups"
        if self.kind == "draw":
            return f"seeds, each beside {self.per_group - 1} drawn positives"
        if self.kind == "partner":
            return "seeds; every second view is made of a drawn positive of the seed, its partner"
        return "samples as they are in the data"
