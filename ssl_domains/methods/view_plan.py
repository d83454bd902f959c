"""What a method needs of its views, declared as a class attribute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ssl_domains.errors import UsageError

__all__ = ["ViewPlan"]


@dataclass(frozen=True)
class ViewPlan:
    """How many views a method takes of each sample, and what else it reads.

    Attributes:
        views: Views of each sample. More may be configured (``views.n``) unless ``exact``.
        variants: Views by named variant of the recipe, as ``{"global": 2, "local": 6}``; their sum is then the number
            of views, in this order.
        pairs: Whether the loss reads pairs. A method that doesn't refuses a rule.
        validity: Whether the method needs to know where there is data: inputs without validity get one that is true.
        anchors: ``"first"``: rows of drawn negatives are candidates only; ``"all"``: they are anchors too.
        unit_z: Whether ``z`` has length 1. Where it hasn't, collapse is watched on the pooled features.
        exact: Whether no other number of views will do.
    """

    views: int = 2
    variants: Mapping[str, int] = field(default_factory=dict)
    pairs: bool = True
    validity: bool = False
    anchors: Literal["first", "all"] = "first"
    unit_z: bool = True
    exact: bool = False

    def __post_init__(self) -> None:
        if self.variants:
            object.__setattr__(self, "views", sum(self.variants.values()))
            object.__setattr__(self, "exact", True)

    def require(self, views: int, method: str) -> None:
        """Refuse a number of views that the method can't take.

        Args:
            views: Views of each sample.
            method: The method's name, for the message.

        Raises:
            UsageError: When there are too few, or another number than the only possible one.
        """
        if views < self.views or (self.exact and views != self.views):
            number = f"{self.views} view{'s' if self.views != 1 else ''}"
            few = f"exactly {number}" if self.exact else f"at least {number}"
            raise UsageError(f"{method} takes {few} of each sample, not {views}", f"use --set views.n={self.views}")
