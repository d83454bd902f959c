"""Open the sample table of a command, and fill its array store."""

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
        UsageError: When the file is missing, is no table, or was scanned by another domain.
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
    """Decode rows of the table that are not in the store yet, and return the store.

    Raises:
        ResourceError: When the disk is full; arrays written so far stay usable.
    """
    from ssl_domains.stores import ArrayStore

    with counter("decoding") as progress:
        return ArrayStore.fill(folder, table, domain.reader(), progress)


def decodable(table: SampleTable, store: ArrayStore) -> SampleTable:
    """The rows whose arrays are in the store; a note gives the number of the others.

    Raises:
        DataError: When no row could be decoded.
    """
    decoded = store.positions(table) >= 0
    left = int((~decoded).sum())
    if left:
        cause = store.problems["cause"][0] if len(store.problems) else "unknown"
        if left == len(table):
            raise DataError(f"none of the {left} samples can be decoded, the first because: {cause}", "scan again")
        note(f"{left} of {len(table)} samples can't be decoded and are left out; the first because: {cause}")
    return table.take(decoded)
