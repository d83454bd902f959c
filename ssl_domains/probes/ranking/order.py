"""The order of the hits of each query, and hits that are taken out before a ranking is cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ssl_domains.errors import DataError, did_you_mean

__all__ = ["TIES", "Kept", "ranked", "require_columns", "without_pairs", "without_self_hits"]

TIES = "documents with equal scores (as float32) are ranked by descending id, as in trec_eval"
"""How ties are broken, in words."""


@dataclass(frozen=True, eq=False)
class Kept:
    """A run after some of its hits were taken out.

    Attributes:
        run: The other hits.
        dropped: Number of hits that were taken out.
    """

    run: pl.DataFrame
    dropped: int


def ranked(run: pl.DataFrame, k: int | None = None) -> pl.DataFrame:
    """Sort the hits of each query: by descending score in float32, then by descending id.

    The order of the rows, in which a search happened to give them, has no influence: a search that gives every document
    the same score must not get a good number by luck.

    Args:
        run: Columns ``query`` and ``document``, as text, and ``score``, as numbers.
        k: Hits of each query that are kept; None for all.

    Returns:
        The run with the column ``rank`` (from 1), queries in ascending order; a document that a query has twice has its
        best score.

    Raises:
        DataError: When a column is missing, or a score is missing or NaN.
    """
    require_columns(run, ("query", "document", "score"), "run")
    hits = run.select(
        pl.col("query").cast(pl.String), pl.col("document").cast(pl.String), pl.col("score").cast(pl.Float32)
    )
    wrong = int((hits["score"].is_null() | hits["score"].is_nan()).sum())
    if wrong:
        raise DataError(f"{wrong:,} of {len(hits):,} scores of the run are missing or NaN", "a hit has a number")
    hits = hits.sort("query", "score", "document", descending=[False, True, True])
    hits = hits.unique(["query", "document"], keep="first", maintain_order=True)
    hits = hits.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("query"))
    return hits if k is None else hits.filter(pl.col("rank") <= k)


def without_self_hits(run: pl.DataFrame, queries: Mapping[str, str], documents: Mapping[str, str]) -> Kept:
    """Take out the hits where the query itself is found: the document has its id *and* its text.

    In collections such as ArguAna and Quora queries are documents too, and each is its own first hit. The id alone
    doesn't tell, as many collections number queries and documents alike; nor does the text, as a copy under another id
    may be the relevant document.

    Args:
        run: The run.
        queries: Text of queries by id; white space at the ends and its kind don't count.
        documents: Text of documents by id; those that are no query's id needn't be there.
    """
    same = [name for name in queries.keys() & documents.keys() if queries[name].split() == documents[name].split()]
    return without_pairs(run, pl.DataFrame({"query": same, "document": same}))


def without_pairs(run: pl.DataFrame, pairs: pl.DataFrame) -> Kept:
    """Take out the hits that are among some pairs of query and document, such as judgements to be ignored.

    Args:
        run: The run.
        pairs: Columns ``query`` and ``document``.
    """
    named = pairs.select(pl.col("query").cast(pl.String), pl.col("document").cast(pl.String))
    kept = run.join(named, on=["query", "document"], how="anti", maintain_order="left")
    return Kept(kept, len(run) - len(kept))


def require_columns(frame: pl.DataFrame, names: tuple[str, ...], what: str) -> None:
    """Raise `DataError` when a frame lacks a column."""
    for name in names:
        if name not in frame.columns:
            raise DataError(f"the {what} has no column {name!r}", did_you_mean(name, frame.columns))
