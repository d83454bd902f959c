"""Check that a method and a rule go together: a rule that nothing reads, or a missing one, is refused."""

from __future__ import annotations

import polars as pl

from ssl_domains.engine.record.config import RunConfig
from ssl_domains.errors import UsageError
from ssl_domains.methods import ViewPlan
from ssl_domains.samples import SampleTable

__all__ = ["refuse_unread_rule"]


def refuse_unread_rule(config: RunConfig, needs: ViewPlan, table: SampleTable) -> None:
    """Refuse a rule that neither the method's loss nor the composition of batches reads, and a missing one.

    Args:
        config: The configuration.
        needs: What the method needs.
        table: The samples; a hint names a label column of it.

    Raises:
        UsageError: When the configuration has such a rule, or has none and the method needs one.
    """
    if needs.rule and (config.pairs.rule == "none" or config.pairs.relations == "none"):
        raise UsageError(
            f"the method {config.method.name!r} needs a rule: without one its loss is that of simclr",
            _rule_hint(table),
        )
    has_rule = config.pairs.rule != "none" and config.pairs.relations != "none"
    if has_rule and not needs.pairs and config.pairs.composition != "partner":
        raise UsageError(
            f"the method {config.method.name!r} reads no pairs and would ignore the rule {config.pairs.rule}",
            "leave the rule out, or show partners as views: --set pairs.composition=partner",
        )


def _rule_hint(table: SampleTable) -> str:
    """How to give a rule, with the first joined column of few different texts, if the table has one."""
    for name in table.columns:
        column = table.frame[name]
        joined = name != "split" and not table.meta.made_by_reader(name)
        values = column.drop_nulls().n_unique() if joined and column.dtype in (pl.String, pl.Boolean) else 0
        if 2 <= values <= len(table) // 2:
            return f'use --rule "same({name!r})", or --method simclr'
    return "use --method simclr, or add --rule with a label column of the table; `tables describe` lists its columns"
