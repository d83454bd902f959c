"""Opening the sample table a command is given, and its array store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.cli.console import counter, note
from ssl_domains.errors import DataError, UsageError
from ssl_domains.extending import Domain

if TYPE_CHECKING:
    from ssl_domains.samples import SampleTable
    from ssl_domains.stores import ArrayStore

__all__ = ["decodable", "fill_store", "open_table"]


def open_table(domain: Domain, path: Path) -> SampleTable:
    """Read a sample table.

    Raises:
        UsageError: When it is missing, no table, or was scanned by another domain.
    """
    from ssl_domains.samples import read_table

    table = read_table(path)
    if table.meta.domain not in ("", domain.name):
        raise UsageError(
            f"{str(path)!r} was scanned by {table.meta.domain}, not {domain.name}",
            f"ssl-domains {table.meta.domain} … reads it",
        )
    return table


def fill_store(domain: Domain, table: SampleTable, folder: Path) -> ArrayStore:
    """Decode what isn't decoded yet.

    Raises:
        ResourceError: When the disk is full; what was filled stays usable.
    """
    from ssl_domains.stores import ArrayStore

    with counter("decoding") as progress:
        return ArrayStore.fill(folder, table, domain.reader(), progress)


def decodable(table: SampleTable, store: ArrayStore) -> SampleTable:
    """The rows that the store holds; the others are counted aloud.

    Raises:
        DataError: When there are none.
    """
    there = store.positions(table) >= 0
    left = int((~there).sum())
    if left:
        cause = store.problems["cause"][0] if len(store.problems) else "unknown"
        if left == len(table):
            raise DataError(f"none of the {left} samples can be decoded, the first because: {cause}", "scan again")
        note(f"{left} of {len(table)} samples can't be decoded and are left out; the first because: {cause}")
    return table.take(there)
