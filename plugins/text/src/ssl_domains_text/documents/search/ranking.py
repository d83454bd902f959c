"""The ranking of a study that needs no training: BM25 over English words, reduced to their stem."""

from __future__ import annotations

import polars as pl

from ssl_domains.samples import SampleTable
from ssl_domains_text.documents.reader import DocumentReader, text_of_row
from ssl_domains_text.documents.search.bm25 import WordIndex

__all__ = ["by_words"]

_DEPTH = 1000


def by_words(documents: SampleTable, queries: SampleTable) -> pl.DataFrame:
    """Hits of each query: columns ``query``, ``document`` (samples) and ``score``.

    Args:
        documents: Rows that can be found.
        queries: Rows that are searched for.
    """
    reader = DocumentReader()
    texts = (text_of_row(reader, row) for row in documents.frame.iter_rows(named=True))
    index = WordIndex.build(documents.frame["sample"].to_list(), texts)
    asked = ((row["sample"], text_of_row(reader, row)) for row in queries.frame.iter_rows(named=True))
    return index.search(asked, _DEPTH)
