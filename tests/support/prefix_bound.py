"""A plugin that brings the rule ``prefix(column, n)``: second of its two files, the bound form."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from prefix_rule import Prefix
from ssl_domains.pairs.binding.binder import Binder
from ssl_domains.pairs.binding.nodes import answer_for
from ssl_domains.pairs.binding.reason import Reason, ShownValues, missing_text, pair_text
from ssl_domains.pairs.leaves.same import EqualCodes


@dataclass(frozen=True, eq=False)
class BoundPrefix(EqualCodes):
    """Equal codes of the first characters."""

    column: str
    n: int

    def explain(self, i: int, j: int, shown: ShownValues) -> Reason:
        answer = answer_for(self, i, j)
        if answer == "unknown":
            return Reason(answer, missing_text(shown, self.column, i, j))
        verdict = "same" if answer == "yes" else "other"
        return Reason(
            answer, f"{self.column} {pair_text(shown, self.column, i, j)}: {verdict} first {self.n} characters"
        )


def bind(rule: Prefix, binder: Binder) -> BoundPrefix:
    binder.require_column(rule.column, "prefix() takes a column of text")
    first = binder.table.column(rule.column).cast(pl.String).str.head(rule.n)
    codes = binder.table.with_columns(first=first).codes("first")
    return BoundPrefix(codes, rule.column, rule.n)
