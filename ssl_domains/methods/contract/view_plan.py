"""Views and pairs that a method needs, declared as its class attribute ``needs``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ssl_domains.errors import UsageError

__all__ = ["ViewPlan"]


@dataclass(frozen=True)
class ViewPlan:
    """Number of views of each sample that a method needs, and whether it reads pairs and validity.

    Attributes:
        views: Number of views of each sample. More may be configured (``views.n``) unless ``exact``.
        variants: Number of views by variant of the recipe, such as ``{"global": 2, "local": 6}``; ``views`` is then
            their sum, and the views come in this order.
        sizes: Side of the views in pixels (places of a signal), by variant; a variant without one takes the recipe's.
        pairs: Whether the loss reads pairs. With a method that doesn't, a rule is refused.
        validity: Whether the method reads validity; if so, inputs without it get one that is true everywhere.
        anchors: ``"first"``: rows of drawn negatives are candidates only; ``"all"``: they are anchors too.
        unit_z: Whether ``z`` has length 1. If not, collapse is monitored on the pooled features.
        exact: Whether the method refuses any other number of views.
        collapse: Whether a collapse of the embedding is warned of. Features that are trained on labels may rightly have
            as few dimensions as there are classes.
        draws: Whether the method draws random numbers, such as masks. Then each view has `View.keys`, from which it
            draws: with the global generators, two processes or gradient caching would draw other numbers.
        rule: Whether the method is refused without a rule.
    """

    views: int = 2
    variants: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    pairs: bool = True
    validity: bool = False
    anchors: Literal["first", "all"] = "first"
    unit_z: bool = True
    exact: bool = False
    collapse: bool = True
    draws: bool = False
    rule: bool = False

    def __post_init__(self) -> None:
        if self.variants:
            object.__setattr__(self, "views", sum(self.variants.values()))
            object.__setattr__(self, "exact", True)

    def require(self, views: int, method: str) -> None:
        """Refuse a number of views that the method can't take.

        Args:
            views: Number of views of each sample.
            method: The method's name, for the message.

        Raises:
            UsageError: When there are too few, or another number than the only possible one.
        """
        if views < self.views or (self.exact and views != self.views):
            number = f"{self.views} view{'s' if self.views != 1 else ''}"
            few = f"exactly {number}" if self.exact else f"at least {number}"
            raise UsageError(f"{method} takes {few} of each sample, not {views}", f"use --set views.n={self.views}")
