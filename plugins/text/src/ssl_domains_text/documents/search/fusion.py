"""Hits of pieces of documents as hits of their documents."""

from __future__ import annotations

import polars as pl

from ssl_domains.probes.ranking import ranked

__all__ = ["merged"]


def merged(run: pl.DataFrame, documents: pl.DataFrame, k: int | None = None) -> pl.DataFrame:
    """Hits of pieces as hits of their documents: a document has the score of its best piece.

    Args:
        run: The run; ``document`` names samples, such as ``d/7#2``.
        documents: Columns ``sample`` and ``id``.
        k: Hits of a query that are kept; None for all.
    """
    named = run.join(documents.select("sample", "id"), left_on="document", right_on="sample", how="left")
    best = named.group_by("query", "id").agg(pl.col("score").max())
    return ranked(best.rename({"id": "document"}), k).drop("rank")
