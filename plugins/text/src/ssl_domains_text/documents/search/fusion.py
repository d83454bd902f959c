"""Hits of pieces of documents as hits of their documents, as many as are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.probes.ranking import ranked, without_pairs

__all__ = ["Search", "deep_pieces", "document_hits", "merged"]

Search = Callable[[NDArray[np.int64], int], pl.DataFrame]
"""Numbers of some queries, and k → the best k pieces of each, as a run whose ``document`` names samples."""

_ROWS = {"row": pl.Int64, "query": pl.String}
_DEEPER = 4  # times as many pieces, where those of before belong to too few documents


def merged(run: pl.DataFrame, documents: pl.DataFrame, k: int | None = None) -> pl.DataFrame:
    """Hits of pieces as hits of their documents: a document has the score of its best piece.

    Args:
        run: The run; ``document`` names samples, such as ``d/7#2``.
        documents: Columns ``sample`` and ``id``.
        k: Hits of a query that are kept; None for all.

    Returns:
        Columns ``query``, ``document`` (an id), ``score`` and ``piece``: the sample of the best piece, of equal ones
        that whose name comes first.
    """
    pieces = run.rename({"document": "piece"}).with_columns(pl.col("score").cast(pl.Float32))
    named = pieces.join(documents.select(piece="sample", document="id"), on="piece", how="left")
    best = named.sort("query", "score", "piece", descending=[False, True, False])
    best = best.unique(["query", "document"], keep="first", maintain_order=True)
    hits = ranked(best, k).drop("rank")
    pairs = best.select("query", "document", "piece")
    return hits.join(pairs, on=["query", "document"], how="left", maintain_order="left")


def document_hits(
    search: Search, queries: Sequence[str], documents: pl.DataFrame, k: int, without: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The best k documents of each query, by a search that finds pieces of documents.

    Args:
        search: Finds pieces.
        queries: Names of the queries, each once.
        documents: Columns ``sample`` and ``id`` of all pieces.
        k: Documents of a query.
        without: Columns ``query`` and ``document`` (an id): pairs that are no hits, whatever their score.

    Returns:
        As `merged`.
    """
    hits = merged(deep_pieces(search, queries, documents, k, without), documents)
    hits = hits if without is None else without_pairs(hits, without).run
    return hits.filter(pl.int_range(pl.len()).over("query") < k)


def deep_pieces(
    search: Search, queries: Sequence[str], documents: pl.DataFrame, k: int, without: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The best pieces for each query, so many that they belong to k documents.

    The best k pieces may belong to far fewer than k documents. Queries with too few documents are searched again, four
    times as deep, until they have k documents or no piece is left to find.

    Args:
        search: Finds pieces.
        queries: Names of the queries, each once.
        documents: Columns ``sample`` and ``id`` of all pieces.
        k: Documents of a query, at least.
        without: Columns ``query`` and ``document`` (an id): pairs that don't count as a document.

    Returns:
        As ``search``.
    """
    ids, taken = (
        documents.select(document="sample", id="id"),
        pl.DataFrame(schema={"query": pl.String, "id": pl.String}),
    )
    if without is not None:
        taken = without.select("query", id="document")
    most = int(taken["query"].value_counts()["count"].max() or 0)  # type: ignore[arg-type]
    rows, depth, parts = np.arange(len(queries)), k + min(most, k), []
    while True:
        run = search(rows, depth)
        found = run.join(ids, on="document").select("query", "id").unique().join(taken, on=["query", "id"], how="anti")
        asked = pl.DataFrame({"row": rows, "query": [queries[row] for row in rows.tolist()]}, schema=_ROWS)
        counts = asked.join(run.group_by("query").len("pieces"), on="query")
        counts = counts.join(found.group_by("query").len("documents"), on="query", how="left")
        short = (pl.col("documents").fill_null(0) < k) & (pl.col("pieces") >= depth)
        again = counts.filter(short).sort("row")
        parts.append(run.join(again, on="query", how="anti", maintain_order="left"))
        if not len(again):
            return pl.concat(parts)
        rows, depth = again["row"].to_numpy(), depth * _DEEPER
