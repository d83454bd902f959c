"""Text under thumbnails, such as the transcripts of text lines."""

from __future__ import annotations

import polars as pl

from ssl_domains.samples import SampleTable

__all__ = ["captions_of"]

_LONGEST = 80


def captions_of(table: SampleTable, column: str | None) -> list[str]:
    """The text of a column for each row, cut to 80 characters; empty text where it is null.

    Args:
        table: The rows.
        column: The column; None, or one that the table lacks, gives an empty list.
    """
    if column is None or column not in table.columns:
        return []
    texts = table.frame[column].cast(pl.String).fill_null("").to_list()
    return [text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…" for text in texts]
