"""How a batch is composed; a plain description that needs neither NumPy nor torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from ssl_domains.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from ssl_domains.pairs.rules.algebra import Rule

__all__ = ["STRETCH", "Composition", "Kind"]

Kind = Literal["auto", "random", "groups", "draw", "partner"]

STRETCH = 50
"""Batches of a stretch of the plan, within which ``bucket`` sorts."""


@dataclass(frozen=True)
class Composition:
    """Which samples are in a batch together. Which of them are positives is up to the objective.

    A slot of a batch has one seat for its sample (the seed), with ``partner`` a second one, and one for each drawn
    negative: with partners and two negatives a slot is (seed, partner, negative 1, negative 2).

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
        negatives: Rule whose matches fill the negative seats of a slot, usually ``linked('mined')``; None for no such
            seats. Rows that the objective makes positives of the slot's seed or partner, or ignores, are never drawn.
        n_negatives: Negative seats of a slot.
        warmup: Rule that serves as long as ``negatives`` matches no pair of the table, for instance before the first
            refresh; without one, negatives are random rows until then.
        seeds: Value of the table's column ``side`` (or else ``kind``) that the rows of the first seat have; None takes
            all rows. Only with ``random`` and ``partner``.
        bucket: Numeric column, usually ``"length"``: within stretches of 50 batches, samples of similar length share a
            batch, so that ragged batches need little padding. None does not sort.
        epoch_steps: Batches of a planned epoch; None takes as many as the rows fill. Short epochs continue one
            permutation of the rows.
        reason: Why ``auto`` chose this kind; ignored by ``==``.

    Raises:
        UsageError: When a value is out of these.
    """

    kind: Kind = "auto"
    per_group: int = 2
    compose_by: int = 0
    exponent: float = 1.0
    negatives: Rule | str | None = None
    n_negatives: int = 1
    warmup: Rule | str | None = None
    seeds: str | None = None
    bucket: str | None = None
    epoch_steps: int | None = None
    reason: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name in ("negatives", "warmup"):
            rule = getattr(self, name)
            object.__setattr__(self, name, None if rule is None else str(rule))
        if self.kind not in get_args(Kind):
            raise UsageError(f"there is no composition {self.kind!r}", did_you_mean(str(self.kind), get_args(Kind)))
        if self.per_group < 2:
            raise UsageError(f"per_group is {self.per_group}", "a group needs at least 2 samples to hold a pair")
        if self.compose_by < 0:
            raise UsageError(f"compose_by is {self.compose_by}", "it counts the objective's relations from 0")
        if not (math.isfinite(self.exponent) and 0 <= self.exponent <= 1):
            raise UsageError(f"exponent is {self.exponent}", "from 0 (groups alike) to 1 (samples alike)")
        if self.n_negatives < 1:
            raise UsageError(f"n_negatives is {self.n_negatives}", "leave negatives out to draw none")
        if self.warmup is not None and self.negatives is None:
            raise UsageError("warmup serves in place of negatives, and there are none", "give negatives too")
        if self.seeds is not None and self.kind not in ("random", "partner"):
            raise UsageError(f"seeds of one side can't be composed by {self.kind!r}", "use 'partner' or 'random'")
        if self.epoch_steps is not None and self.epoch_steps < 1:
            raise UsageError(f"epoch_steps is {self.epoch_steps}", "an epoch has at least 1 step")

    @property
    def seats(self) -> int:
        """Seats of a slot; view ``v`` of a slot shows the sample of seat ``v mod seats``."""
        return self.anchor_seats + self.negative_seats

    @property
    def anchor_seats(self) -> int:
        """Seats before the negatives: the seed's, and with ``partner`` the partner's."""
        return 2 if self.kind == "partner" else 1

    @property
    def negative_seats(self) -> int:
        """Seats, at the end, that are drawn negatives."""
        return 0 if self.negatives is None else self.n_negatives

    @property
    def unit(self) -> int:
        """Neighbouring slots that belong together: ``per_group`` with ``groups`` and ``draw``, else 1."""
        return self.per_group if self.kind in ("groups", "draw") else 1

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
        kinds = {
            "groups": f"{self.per_group} samples from each of several groups",
            "draw": f"seeds, each beside {self.per_group - 1} drawn positives",
            "partner": "seeds; every second view is made of a drawn positive of the seed, its partner",
        }
        if self.kind == "partner" and self.negatives is not None:
            kinds["partner"] = "seeds, each with a drawn positive, its partner"
        return "; ".join([kinds.get(self.kind, "samples as they are in the data"), *self.options])

    @property
    def options(self) -> list[str]:
        """The other settings of the plan in words; empty without any."""
        words = []
        if self.seeds is not None:
            words.append(f"the seeds are rows of {self.seeds!r}")
        if self.negatives is not None:
            many = "a negative" if self.n_negatives == 1 else f"{self.n_negatives} negatives"
            words.append(f"each with {many} drawn by {self.negatives}")
        if self.bucket is not None:
            words.append(f"sorted by {self.bucket!r} within {STRETCH} batches")
        if self.epoch_steps is not None:
            words.append(f"epochs of {self.epoch_steps:,} batches")
        return words
