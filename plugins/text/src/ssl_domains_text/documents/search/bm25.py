"""BM25: the words that query and document share, each weighed by its rarity (Robertson & Zaragoza 2009)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains_text.documents.search.analysis import Analysis

__all__ = ["WordIndex"]

_ANALYSIS = "analysis.json"


@dataclass(frozen=True, eq=False)
class WordIndex:
    """An index of terms.

    Attributes:
        ids: Ids of the documents, in their order in the index.
        analysis: How texts become terms; documents and queries alike.
        unindexed: Number of documents without a term.
        model: The index of bm25s; None for documents without any term.
    """

    ids: Sequence[str]
    analysis: Analysis
    unindexed: int
    model: Any

    @classmethod
    def build(
        cls,
        ids: Sequence[str],
        texts: Iterable[str],
        analysis: Analysis | None = None,
        *,
        k1: float = 1.5,
        b: float = 0.75,
    ) -> WordIndex:
        """Index documents.

        Args:
            ids: Their ids.
            texts: Their texts, in the same order; read once.
            analysis: How texts become terms; None for English.
            k1: How much a repeated term counts.
            b: How much a long document is held against its terms, from 0 to 1.

        Raises:
            DataError: When there are other numbers of ids and texts.
        """
        import bm25s
        from bm25s.tokenization import Tokenized

        analysis = analysis or Analysis()
        vocabulary: dict[str, int] = {}
        documents: list[list[int]] = []
        for text in texts:
            documents.append([vocabulary.setdefault(term, len(vocabulary)) for term in analysis.terms(text)])
        if len(documents) != len(ids):
            raise DataError(f"{len(documents)} texts for {len(ids)} documents", "give each document its text")
        unindexed = sum(not one for one in documents)
        if not vocabulary:
            return cls(list(ids), analysis, unindexed, None)
        model = bm25s.BM25(k1=k1, b=b, method="lucene")
        model.index(Tokenized(documents, vocabulary), create_empty_token=False, show_progress=False)
        return cls(list(ids), analysis, unindexed, model)

    def scores(self, query: str) -> NDArray[np.float32]:
        """The score of each document, float32 ``[n]``; 0 for a document that shares no term with the query."""
        none = np.zeros(len(self.ids), dtype=np.float32)
        if self.model is None:
            return none
        known = [term for term in self.analysis.terms(query) if term in self.model.vocab_dict]
        if not known:
            return none
        scores: NDArray[np.float32] = np.asarray(self.model.get_scores(known), dtype=np.float32)
        return scores

    def search(self, queries: Iterable[tuple[str, str]], k: int = 100) -> pl.DataFrame:
        """The best k documents of each query, as a run. Documents of score 0 are no hits: a query may have none.

        Args:
            queries: (id, text) of each.
            k: Hits of a query at most; of equal scores, those with the larger id.
        """
        ids = np.array(self.ids, dtype=object)
        order = np.argsort(np.argsort(ids.astype(str), kind="stable"), kind="stable")  # rank of each id
        found: list[pl.DataFrame] = []
        for name, text in queries:
            scores = self.scores(text)
            hits = np.flatnonzero(scores > 0)
            if len(hits) > k:
                least = np.partition(scores[hits], len(hits) - k)[len(hits) - k]
                hits = hits[scores[hits] >= least]
            hits = hits[np.lexsort((-order[hits], -scores[hits]))[:k]]
            found.append(
                pl.DataFrame(
                    {"document": ids[hits].tolist(), "score": scores[hits]},
                    schema={"document": pl.String, "score": pl.Float32},
                ).select(pl.lit(name).alias("query"), "document", "score")
            )
        schema = {"query": pl.String, "document": pl.String, "score": pl.Float32}
        return pl.concat([pl.DataFrame(schema=schema), *found])

    def save(self, folder: Path) -> None:
        """Write the index to a folder, which is made when it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {"analysis": self.analysis.to_dict(), "unindexed": self.unindexed, "empty": self.model is None}
        (folder / _ANALYSIS).write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
        pl.DataFrame({"id": list(self.ids)}, schema={"id": pl.String}).write_parquet(folder / "ids.parquet")
        if self.model is not None:
            self.model.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path) -> WordIndex:
        """Read an index that `save` wrote; its numbers stay on the disk until they are needed.

        Raises:
            DataError: When the folder has none, or it is damaged.
        """
        try:
            state = json.loads((folder / _ANALYSIS).read_text(encoding="utf-8"))
            analysis, unindexed = Analysis(**state["analysis"]), int(state["unindexed"])
            ids = pl.read_parquet(folder / "ids.parquet")["id"].to_list()
            model = None
            if not state["empty"]:
                import bm25s

                model = bm25s.BM25.load(str(folder), load_corpus=False, mmap=True, show_progress=False)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError) as error:
            raise DataError(f"{folder.name} holds no index of words: {error}", "make it again: text index") from error
        return cls(ids, analysis, unindexed, model)
