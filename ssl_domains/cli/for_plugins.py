"""What further commands of a domain share with the usual ones: tables and stores opened alike, and pairs planned alike.

`ssl_domains.cli.domain_app` makes the usual commands; a plugin adds its own to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.commands.pairs import command as pairs_command
from ssl_domains.cli.session import domain_of, registry_of

if TYPE_CHECKING:
    from ssl_domains.engine import PairPlan
    from ssl_domains.extending import Domain
    from ssl_domains.samples import SampleTable
    from ssl_domains.stores import ArrayStore

__all__ = ["fill_store", "open_table", "pairs_command", "plan_pairs"]


def open_table(domain: Domain, path: Path) -> SampleTable:
    """Read a sample table as every command does; see `ssl_domains.cli.work.tables.open_table`.

    Raises:
        UsageError: When the file is missing, is no table, or was scanned by another domain.
    """
    from ssl_domains.cli.work.tables import open_table

    return open_table(domain, path)


def fill_store(domain: Domain, table: SampleTable, samples: Path) -> ArrayStore:
    """Decode rows of a table that are not in its store yet, and return the store.

    Args:
        domain: The domain.
        table: The rows.
        samples: Path of the sample table, beside which the store lies.

    Raises:
        ResourceError: When the disk is full or too small; arrays written so far stay usable.
    """
    from ssl_domains.cli.work.tables import fill_store
    from ssl_domains.stores import default_store

    return fill_store(domain, table, default_store(samples))


def plan_pairs(given: Mapping[str, Any]) -> tuple[PairPlan, str]:
    """The batches that a training with these pairs would see, and the text of its rule.

    Args:
        given: What `pairs_command` was given, by the names of its parameters.

    Raises:
        UsageError: For a table, rule or setting that doesn't fit, as ``pairs`` does.
    """
    from ssl_domains.cli.work.configuring import configure
    from ssl_domains.cli.work.pairs import choose_pairs, plan_training, training_rows

    domain = domain_of(given["ctx"])
    train = training_rows(open_table(domain, given["samples"]))
    chosen = choose_pairs(registry_of(given["ctx"]), domain, given["pairs"], given["rule"])
    options = {"train.batch_size": given["batch_size"], "pairs.anyway": True if given["anyway"] else None}
    config = configure(domain, train, chosen, file=given["config"], sets=given["sets"] or (), options=options)
    return plan_training(domain, config, train), config.pairs.rule
