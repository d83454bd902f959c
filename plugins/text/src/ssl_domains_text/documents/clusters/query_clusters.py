"""Clusters of queries that share half of their relevant documents, or most of their words, over any chain."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.quantities import plural
from ssl_domains_text.documents.links import near_copies
from ssl_domains_text.documents.reader import DocumentReader, text_of_row
from ssl_domains_text.documents.search import Analysis

__all__ = ["QueryClusters", "query_clusters"]

_QUERIES_AT_A_TIME = 1024
_WORDS = Analysis("none", shortest=1)


@dataclass(frozen=True, eq=False)
class QueryClusters:
    """The cluster of each query.

    Attributes:
        codes: int64 ``[n]``, cluster of each row of the table; −1 for documents.
        by_documents: Pairs of queries that share enough relevant documents.
        by_words: Pairs of queries that share enough words.
        documents: Least share of relevant documents that joins two queries.
        words: Share of words above which two queries are joined.
    """

    codes: NDArray[np.int64]
    by_documents: int
    by_words: int
    documents: float
    words: float

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Number of queries of each cluster, int64 ``[clusters]``."""
        return np.bincount(self.codes[self.codes >= 0]).astype(np.int64)

    def notes(self) -> list[str]:
        """What was joined, for printing."""
        sizes = self.sizes
        largest = int(sizes.max(initial=0))
        lines = [
            f"{plural(int(sizes.sum()), 'query', 'queries')} in {plural(len(sizes), 'cluster')}: "
            f"{plural(self.by_documents, 'pair')} share at least {self.documents:.0%} of the relevant documents of one "
            f"of the two, {plural(self.by_words, 'pair')} share more than {self.words:.0%} of their words",
            f"{plural(int((sizes > 1).sum()), 'cluster')} of several queries, the largest of {largest:,}",
        ]
        if largest > max(2, 0.5 * sizes.sum()):
            lines.append(f"the largest cluster holds {largest / sizes.sum():.0%} of the queries: raise --documents")
        return lines


def query_clusters(
    frame: pl.DataFrame, edges: pl.DataFrame, documents: float = 0.5, words: float = 0.6
) -> QueryClusters:
    """Join the queries of a table that ask for nearly the same.

    Two queries are joined when the relevant documents that both have are at least the share ``documents`` of those of
    one of them, or when the Jaccard similarity of their words is above ``words``. The relation is made transitive.

    Args:
        frame: The table.
        edges: Its judgements: columns ``a`` (query), ``b`` (document) and ``relevant``.
        documents: Least share of relevant documents, above 0.
        words: Share of words, below 1.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    queries = np.flatnonzero((frame["side"] == "query").to_numpy())
    asked = frame[queries]
    shared = _sharing_documents(asked["sample"], edges, documents)
    alike = _sharing_words(asked, words)
    both = np.concatenate([shared, alike])
    graph = coo_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(len(queries), len(queries)))
    _, found = connected_components(graph, directed=False)
    # Numbered by their first query.
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    codes = np.full(len(frame), -1, dtype=np.int64)
    codes[queries] = np.argsort(np.argsort(first))[inverse] if len(first) else 0
    return QueryClusters(codes, len(shared), len(alike), documents, words)


def _sharing_documents(queries: pl.Series, edges: pl.DataFrame, least: float) -> NDArray[np.int64]:
    """Pairs of queries by their number, int64 ``[m, 2]``, the smaller first."""
    from scipy.sparse import csr_array

    numbers = pl.DataFrame({"a": queries}).with_row_index("query")
    known = edges.filter(pl.col("relevant") == 1).select("a", "b").unique().join(numbers, on="a")
    known = known.with_columns(document=pl.col("b").rank("dense") - 1)
    rows, columns = (known[name].to_numpy().astype(np.int64) for name in ("query", "document"))
    shape = (len(queries), int(columns.max(initial=-1)) + 1)
    relevant = csr_array((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=shape)
    counts = np.asarray(relevant.sum(axis=1)).reshape(-1)
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    for start in range(0, len(queries), _QUERIES_AT_A_TIME):
        both = (relevant[start : start + _QUERIES_AT_A_TIME] @ relevant.T).tocoo()
        one, other = both.coords[0].astype(np.int64) + start, both.coords[1].astype(np.int64)
        enough = (one < other) & (both.data >= least * np.minimum(counts[one], counts[other]))
        pairs.append(np.stack([one[enough], other[enough]], axis=1))
    return np.concatenate(pairs)


def _sharing_words(asked: pl.DataFrame, above: float) -> NDArray[np.int64]:
    """Pairs of queries by their number, int64 ``[m, 2]``, the smaller first."""
    reader = DocumentReader()
    sets = []
    for row in asked.iter_rows(named=True):
        hashes = [zlib.crc32(term.encode()) for term in _WORDS.terms(text_of_row(reader, row))]
        sets.append(np.unique(np.array(hashes, dtype=np.int64)))
    pairs, similarity = near_copies(sets, above)
    return pairs[similarity > above]
