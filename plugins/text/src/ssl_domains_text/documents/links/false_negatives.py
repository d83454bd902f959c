"""The false negatives of planned batches: negatives that say the same as the positive, found before any training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.pairs import Rows
from ssl_domains_text.documents.links.groups import DocumentGroups
from ssl_domains_text.documents.reader import DocumentReader, text_of_row
from ssl_domains_text.documents.search.analysis import Analysis

if TYPE_CHECKING:
    from ssl_domains.engine import PairPlan

__all__ = ["FalseNegative", "FalseNegatives", "false_negatives"]


@dataclass(frozen=True)
class FalseNegative:
    """A negative that is probably none.

    Attributes:
        query: Text of the anchor.
        positive: Text of its positive in the batch.
        negative: Text of the negative.
        ids: Samples of the three.
        reason: What betrays it: a link, or the similarity to the positive.
        linked: Whether a link betrays it.
        similarity: Cosine of the weighed words of positive and negative (TF-IDF).
    """

    query: str
    positive: str
    negative: str
    ids: tuple[str, str, str]
    reason: str
    linked: bool
    similarity: float


@dataclass(frozen=True)
class FalseNegatives:
    """The false negatives of some batches.

    Attributes:
        worst: The worst ones, each pair of positive and negative once.
        batches: Number of batches.
        anchors: Slots of these batches.
        negatives: Pairs of an anchor and a negative in these batches.
        linked: Those that a link betrays.
        touched: Slots with at least one of these.
    """

    worst: tuple[FalseNegative, ...]
    batches: int
    anchors: int
    negatives: int
    linked: int
    touched: int

    def words(self) -> str:
        """The counts in one sentence."""
        share = self.touched / max(1, self.anchors)
        return (
            f"{self.linked:,} of {self.negatives:,} negatives in {self.batches} batches say the same as the positive, "
            f"by links; {share:.0%} of the queries have such a negative in their batch"
        )


def false_negatives(
    plan: PairPlan, groups: DocumentGroups, *, batches: int = 20, worst: int = 10, least: float = 0.3
) -> FalseNegatives:
    """Find the worst false negatives in the batches that a training would see.

    Args:
        plan: The pairs of a training.
        groups: Groups of the documents of the training rows, in their order.
        batches: Batches that are looked at.
        worst: Number of false negatives to return.
        least: Smallest similarity of a negative that no link betrays.
    """
    frame = plan.table.frame
    found: dict[tuple[int, int], tuple[bool, float, int]] = {}
    anchors = negatives = linked = touched = count = 0
    vectors = _Words(frame)
    for seats in islice(_seats(plan), batches):
        count += 1
        queries, positives = seats[0], seats[min(1, len(seats) - 1)]
        candidates = np.unique(seats[1:] if len(seats) > 1 else seats)
        pairs = plan.scored_by.pairs(Rows.of(queries, views=1), Rows.stored(candidates))
        everything = slice(0, len(queries)), slice(0, len(candidates))
        negative = pairs.collapsed(*everything).negative.numpy()
        group = groups.codes[candidates][None, :] == groups.codes[positives][:, None]
        same = negative & group & (groups.codes[positives] >= 0)[:, None]
        anchors, negatives = anchors + len(queries), negatives + int(negative.sum())
        linked, touched = linked + int(same.sum()), touched + int(same.any(axis=1).sum())
        similar = np.where(negative, vectors.cosines(positives, candidates), -1.0)
        for i, j in np.argwhere(same | (similar >= least)).tolist():
            key = (int(queries[i]), int(candidates[j]))
            value = (bool(same[i, j]), float(similar[i, j]), int(positives[i]))
            found[key] = max(found.get(key, value), value)
    ordered = _different(sorted(found.items(), key=lambda item: (item[1][0], item[1][1]), reverse=True), worst)
    reader = DocumentReader()
    shown = []
    for (query, other), (by_link, similarity, positive) in ordered:
        rows = [frame.row(row, named=True) for row in (query, positive, other)]
        texts = [text_of_row(reader, row) for row in rows]
        said = groups.reason(positive, other) if by_link else None
        reason = f"words like the positive's, cosine {similarity:.2f}" if said is None else f"to the positive: {said}"
        ids = (rows[0]["sample"], rows[1]["sample"], rows[2]["sample"])
        shown.append(FalseNegative(texts[0], texts[1], texts[2], ids, reason, by_link, similarity))
    return FalseNegatives(tuple(shown), count, anchors, negatives, linked, touched)


def _different(
    ordered: list[tuple[tuple[int, int], tuple[bool, float, int]]], count: int
) -> list[tuple[tuple[int, int], tuple[bool, float, int]]]:
    """The first ones in which every pair of positive and negative stands once, whatever the query."""
    seen: set[frozenset[int]] = set()
    made = []
    for item in ordered:
        pair = frozenset((item[1][2], item[0][1]))
        if pair not in seen:
            seen.add(pair)
            made.append(item)
        if len(made) == count:
            break
    return made


def _seats(plan: PairPlan) -> Iterator[NDArray[np.int64]]:
    """The seats of planned batches, epoch after epoch."""
    for epoch in range(1_000_000):
        plan.sampler.set_position(epoch, 0)
        yield from (ask.seats for ask in plan.sampler)


class _Words:
    """Cosines of texts by their weighed words, each text read once.

    Args:
        frame: The table.
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame, self._reader, self._analysis = frame, DocumentReader(), Analysis()
        self._terms: dict[int, dict[str, int]] = {}

    def cosines(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
        """Cosines ``[len(one), len(other)]``; words are weighed by their rarity among these texts."""
        from scipy.sparse import csr_array

        rows = np.unique(np.concatenate([one, other]))
        vocabulary: dict[str, int] = {}
        data: list[float] = []
        columns: list[int] = []
        starts = [0]
        for row in rows.tolist():
            for term, times in self._of(row).items():
                columns.append(vocabulary.setdefault(term, len(vocabulary)))
                data.append(1 + float(np.log(times)))
            starts.append(len(columns))
        counts = csr_array((data, columns, starts), shape=(len(rows), max(1, len(vocabulary))))
        having = np.bincount(np.array(columns, dtype=np.int64), minlength=counts.shape[1])
        weighed = counts * np.log((1 + len(rows)) / (1 + having))[None, :]
        weighed = csr_array(weighed)
        length = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).reshape(-1))
        weighed = csr_array(weighed.multiply((1 / np.maximum(length, 1e-12))[:, None]))
        products = weighed[np.searchsorted(rows, one)] @ weighed[np.searchsorted(rows, other)].T
        return np.asarray(products.toarray(), dtype=np.float64)

    def _of(self, row: int) -> dict[str, int]:
        known = self._terms.get(row)
        if known is None:
            known = {}
            for term in self._analysis.terms(text_of_row(self._reader, self._frame.row(row, named=True))):
                known[term] = known.get(term, 0) + 1
            self._terms[row] = known
        return known
