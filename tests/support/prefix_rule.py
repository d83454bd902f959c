"""A plugin that brings the rule ``prefix(column, n)``: first of its two files, the description and the hook."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ssl_domains.errors import UsageError
from ssl_domains.extending import RuleEntry
from ssl_domains.pairs.rules.algebra import Leaf, Rule
from ssl_domains.pairs.rules.keys import column_name


@dataclass(frozen=True, repr=False)
class Prefix(Leaf):
    """Texts with the same first ``n`` characters."""

    column: str
    n: int

    bound_by = "prefix_bound:bind"

    def __post_init__(self) -> None:
        column_name(self.column, "prefix")
        if self.n < 1:
            raise UsageError(f"prefix needs at least 1 character, not {self.n}", "write prefix('case', 3)")

    @property
    def columns(self) -> frozenset[str]:
        return frozenset({self.column})

    def words(self) -> str:
        return f"the same first {self.n} characters of {self.column}"

    def __str__(self) -> str:
        return f"prefix({self.column!r}, {self.n})"


def prefix(column: str, n: int) -> Rule:
    """Rows whose texts have the same first ``n`` characters; a shorter text counts whole."""
    return Prefix(column, n)


def ssl_domains_rules() -> Iterable[RuleEntry]:
    return [RuleEntry("prefix", "texts with the same first characters", "prefix_rule:prefix")]
