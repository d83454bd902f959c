"""Links of links: a query, its relevant document, and everything that says the same as that one.

`linked` is not transitive: it joins a query with the documents that are judged relevant to it, and not with their
copies. Search for hard negatives finds just these first. So the links are written out, in a step of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ssl_domains_text.documents.links.groups import DocumentGroups

__all__ = ["LinkedEdges", "linked_edges"]


@dataclass(frozen=True, eq=False)
class LinkedEdges:
    """Links between queries and documents that nobody judged.

    Attributes:
        edges: Columns ``a`` (query) and ``b`` (document).
        queries: Queries that have at least one.
        positives: Judged relevant pairs that they follow from.
    """

    edges: pl.DataFrame
    queries: int
    positives: int


def linked_edges(frame: pl.DataFrame, edges: pl.DataFrame, groups: DocumentGroups) -> LinkedEdges:
    """Link each query with all documents of the groups of its relevant documents.

    Queries of equal text share their relevant documents, and so their links. Pairs that are judged already, relevant or
    not, get no link.

    Args:
        frame: The table.
        edges: Its judgements.
        groups: Groups of its documents.
    """
    rows = frame.select("sample", "content", "side").with_columns(group=pl.Series(groups.codes))
    documents = rows.filter(pl.col("side") == "document").select("group", b="sample")
    queries = rows.filter(pl.col("side") == "query").select("content", a="sample")
    positives = edges.filter(pl.col("relevant") == 1).select("a", "b").unique()
    # Queries with equal texts, the query itself among them.
    asked = positives.join(queries, on="a").select("content", "b").join(queries, on="content").select("a", "b")
    grouped = asked.unique().join(documents, on="b").select("a", "group").unique()
    made = grouped.join(documents, on="group").select("a", "b").unique()
    made = made.join(edges.select("a", "b"), on=["a", "b"], how="anti").sort("a", "b")
    return LinkedEdges(made, made["a"].n_unique(), len(positives))
