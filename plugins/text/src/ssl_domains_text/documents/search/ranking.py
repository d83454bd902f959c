"""The ranking of a study that needs no training: BM25 over English words, reduced to their stem."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import SampleTable
from ssl_domains_text.documents.reader import DocumentReader, text_of_row
from ssl_domains_text.documents.search.bm25 import WordIndex
from ssl_domains_text.documents.search.fusion import deep_pieces

__all__ = ["by_words"]

_DEPTH = 1000


def by_words(documents: SampleTable, queries: SampleTable) -> pl.DataFrame:
    """Hits of each query: columns ``query``, ``document`` (samples) and ``score``.

    They belong to 1,000 documents, or to all that share a word with the query; of a document in pieces, each piece that
    was found is a hit.

    Args:
        documents: Rows that can be found.
        queries: Rows that are searched for.
    """
    reader = DocumentReader()
    texts = (text_of_row(reader, row) for row in documents.frame.iter_rows(named=True))
    index = WordIndex.build(documents.frame["sample"].to_list(), texts)
    asked = [(row["sample"], text_of_row(reader, row)) for row in queries.frame.iter_rows(named=True)]

    def search(rows: NDArray[np.int64], k: int) -> pl.DataFrame:
        return index.search([asked[row] for row in rows], k)

    return deep_pieces(search, [name for name, _ in asked], documents.frame, _DEPTH)
