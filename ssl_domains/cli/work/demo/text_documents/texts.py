"""The texts of a sample table, from its store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssl_domains.samples import SampleTable
    from ssl_domains.stores import ArrayStore

__all__ = ["sample_texts"]


def sample_texts(table: SampleTable, store: ArrayStore) -> list[str]:
    """The text of each row, from arrays of UTF-8 bytes uint8 ``[n]``."""
    samples = store.of(table)
    return [samples[row].tobytes().decode("utf-8", "replace") for row in range(len(table))]
