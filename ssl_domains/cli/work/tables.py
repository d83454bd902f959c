"""Open the sample table of a command, and fill its array store."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.cli.console import counter, note
from ssl_domains.errors import DataError, UsageError
from ssl_domains.extending import Domain

if TYPE_CHECKING:
    from ssl_domains.samples import SampleTable
    from ssl_domains.stores import ArrayStore

__all__ = ["decodable", "fill_store", "open_table", "shrinking"]

_MOST_SHRINKING = 8


def open_table(domain: Domain, path: Path) -> SampleTable:
    """Read a sample table.

    Raises:
        UsageError: When the file is missing, is no table, or was scanned by another domain.
    """
    from ssl_domains.samples import outdated_note, read_table

    table = read_table(path)
    if table.meta.domain not in ("", domain.name):
        raise UsageError(
            f"{str(path)!r} was scanned by {table.meta.domain}, not {domain.name}",
            f"ssl-domains {table.meta.domain} … reads it",
        )
    if remark := outdated_note(table.meta):
        note(f"note: {remark}")
    return table


def fill_store(domain: Domain, table: SampleTable, folder: Path) -> ArrayStore:
    """Decode rows of the table that are not in the store yet, and return the store; notes say how much is copied.

    Raises:
        ResourceError: When the disk is full or too small; arrays written so far stay usable.
    """
    from ssl_domains.stores import ArrayStore

    with counter("decoding") as progress:
        return ArrayStore.fill(folder, table, domain.reader(), progress, notice=note)


def decodable(table: SampleTable, store: ArrayStore) -> SampleTable:
    """The rows whose arrays are in the store; a note gives the number of the others and their three main causes.

    Raises:
        DataError: When no row could be decoded.
    """
    samples = store.of(table)
    causes = Counter(samples.causes())
    if causes:
        failed, common = sum(causes.values()), causes.most_common(3)
        why = "; ".join(f"{cause} ({count})" for cause, count in common) if len(causes) > 1 else common[0][0]
        if len(causes) > len(common):
            why += f"; and {len(causes) - len(common)} other causes"
        if failed == len(table):
            hint = "the reader and what it declares must agree, or the files are damaged: mend them and run again"
            raise DataError(f"none of the {failed} samples can be decoded: {why}", hint)
        note(f"{failed} of {len(table)} samples can't be decoded and are left out: {why}")
    return table.take(samples.decoded)


def shrinking(table: SampleTable, store: ArrayStore, size: int) -> str:
    """A warning if some pictures are shrunk more than 8-fold to a canvas of ``size`` pixels; empty if none is.

    Args:
        table: Rows with a decoded array.
        store: Store of their arrays; only pictures ``[H, W, C]`` are checked.
        size: Side of the canvas in pixels.
    """
    shapes = store.of(table).shapes()
    if shapes.shape[1] != 3:
        return ""
    fold = shapes[:, :2].max(axis=1, initial=0) / size
    many = int((fold > _MOST_SHRINKING).sum())
    if not many:
        return ""
    return (
        f"{many} of {len(table)} samples shrink more than {_MOST_SHRINKING}-fold on a canvas of {size} pixels, up to "
        f"{fold.max():.0f}-fold: fine detail is averaged away"
    )
