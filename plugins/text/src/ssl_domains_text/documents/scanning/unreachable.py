"""Words of queries that a relevant document has only behind the place where it is cut."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from ssl_domains.quantities import plural
from ssl_domains_text.documents.scanning.words import cut_text
from ssl_domains_text.documents.segmentation import words_of

__all__ = ["unreachable_note"]

_MOST = 20_000  # relevant documents that are read


def unreachable_note(edges: pl.DataFrame, rows: pl.DataFrame, words: int, text_of: Callable[[int], str]) -> str:
    """Name the words that a query shares with its relevant document only in the part that is cut off.

    Args:
        edges: Edges of the table.
        rows: The table.
        words: Words that are kept.
        text_of: Text of a row of the table, by its number.

    Returns:
        A sentence; empty when there is no such word.
    """
    placed = rows.select("sample", "length", row=pl.int_range(pl.len()))
    pairs = edges.filter(pl.col("relevant") == 1).join(placed, left_on="b", right_on="sample", maintain_order="left")
    pairs = pairs.filter(pl.col("length") > words).head(_MOST)
    pairs = pairs.join(placed.select("sample", query_row="row"), left_on="a", right_on="sample", maintain_order="left")
    found: dict[str, str] = {}
    count = 0
    for document, row, query_row in pairs.select("document", "row", "query_row").iter_rows():
        text = text_of(row)
        kept = text[: cut_text(text, words)[0][1]]
        within, asked = set(words_of(kept)), words_of(text_of(query_row))
        behind = set(words_of(text[len(kept) :]))
        lost = [word for word in asked if word in behind and word not in within]
        count += bool(lost)
        for word in lost:
            found.setdefault(word, document)
    if not found:
        return ""
    shown = ", ".join(f"{word!r} of {document!r}" for word, document in list(found.items())[:3])
    some = plural(count, "relevant document has", "relevant documents have")
    return f"{some} words of the query only behind the cut: {shown}"
