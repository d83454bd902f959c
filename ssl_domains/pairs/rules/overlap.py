"""`overlap`: rows whose lists have members in common."""

from __future__ import annotations

import operator
from dataclasses import dataclass

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.pairs.rules.algebra import Leaf, Rule
from ssl_domains.pairs.rules.errors import RuleTypeError
from ssl_domains.pairs.rules.keys import SAMPLE, column_name

__all__ = ["Overlap", "overlap"]

_EXAMPLE = "write overlap('tags', at_least=2)"


@dataclass(frozen=True, repr=False)
class Overlap(Leaf):
    """Lists with at least so many members in common; made by `overlap`."""

    column: str
    at_least: int = 1
    weight: str | None = None

    bound_by = "ssl_domains.pairs.leaves.overlap:bind"

    def __post_init__(self) -> None:
        column_name(self.column, "overlap")
        try:
            at_least = operator.index(self.at_least)
        except TypeError:
            kind = type(self.at_least).__name__
            raise RuleTypeError(f"overlap takes a whole number of members, not {kind}", _EXAMPLE) from None
        if isinstance(self.at_least, bool):
            raise RuleTypeError("overlap takes a whole number of members, not bool", _EXAMPLE)
        if not 1 <= at_least < 2**63:
            raise UsageError(f"overlap needs at least 1 shared member, not {at_least}", _EXAMPLE)
        object.__setattr__(self, "at_least", at_least)
        if self.weight not in (None, "jaccard"):
            raise UsageError(f"overlap knows no weight={self.weight!r}", did_you_mean(str(self.weight), ("jaccard",)))

    @property
    def columns(self) -> frozenset[str]:
        """The one column it reads."""
        return frozenset({self.column}) - {SAMPLE}

    @property
    def graded(self) -> bool:
        """Whether a match weighs the share of common members."""
        return self.weight is not None

    def words(self) -> str:
        """See `Leaf.words`."""
        fading = "" if self.weight is None else ", the more of them the more"
        many = "a member" if self.at_least == 1 else f"at least {self.at_least} members"
        return f"{many} of {self.column} in common{fading}"

    def __str__(self) -> str:
        text = f"overlap({self.column!r}"
        if self.at_least != 1:
            text += f", at_least={self.at_least}"
        if self.weight is not None:
            text += f", weight={self.weight!r}"
        return text + ")"


def overlap(column: str, at_least: int = 1, *, weight: str | None = None) -> Rule:
    """Rows whose lists have at least ``at_least`` members in common.

    Lists are read as sets: repeated and missing members do not count. A missing list makes the answer unknown; an empty
    list is known, and has no member in common with any other.

    Args:
        column: A column of lists (polars ``List`` or ``Array``) of text, numbers or dates.
        at_least: How many distinct members, at least 1.
        weight: ``"jaccard"`` gives a match the weight (members in both lists) / (members in either), in (0, 1]; None
            gives every match the weight 1.

    Raises:
        UsageError: When ``at_least`` is below 1, or the weight is another one.

    Example:
        >>> overlap("findings", at_least=2) & ~same("patient")
        overlap('findings', at_least=2) & ~same('patient')
    """
    return Overlap(column, at_least, weight)
