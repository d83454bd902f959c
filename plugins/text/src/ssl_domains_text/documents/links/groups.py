"""Groups of documents that say the same, joined by equal texts, near copies and links of a table, over any chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.quantities import plural
from ssl_domains_text.documents.links.near_copies import near_copies, word_sets
from ssl_domains_text.documents.reader import DocumentReader, text_of_row

__all__ = ["DocumentGroups", "document_groups"]


@dataclass(frozen=True, eq=False)
class DocumentGroups:
    """Which documents say the same.

    Attributes:
        codes: int64 ``[n]``, group of each row of the table; −1 for queries.
        direct: Similarity of the pairs that are joined directly, by rows, the smaller first: 1 for equal texts, below 1
            for near copies, NaN for links of the table of duplicates.
        counts: Number of pairs by their kind: ``"equal texts"``, ``"near copies"``, ``"links"``.
    """

    codes: NDArray[np.int64]
    direct: Mapping[tuple[int, int], float]
    counts: Mapping[str, int]

    def reason(self, one: int, other: int) -> str | None:
        """Why two rows are in one group, in words; None when they aren't."""
        if self.codes[one] < 0 or self.codes[one] != self.codes[other]:
            return None
        pair = (min(one, other), max(one, other))
        if pair not in self.direct:
            return "linked over other documents"
        similarity = self.direct[pair]
        if similarity != similarity:
            return "linked in the table of duplicates"
        return "equal text" if similarity == 1 else f"near copy, {similarity:.0%} of the words shared"

    @property
    def largest(self) -> int:
        """Documents of the largest group."""
        known = self.codes[self.codes >= 0]
        return int(np.bincount(known).max()) if len(known) else 0

    def notes(self) -> list[str]:
        """What was joined, for printing."""
        parts = ", ".join(f"{count:,} {kind}" for kind, count in self.counts.items())
        sizes = np.bincount(self.codes[self.codes >= 0])
        several = plural(int((sizes > 1).sum()), "group")
        lines = [f"documents that say the same: {parts}; {several}, the largest of {self.largest:,} documents"]
        if len(sizes) and self.largest > max(50, 0.05 * sizes.sum()):
            lines.append("the largest group is suspiciously large: raise --near, or look at the table of duplicates")
        return lines


def document_groups(
    frame: pl.DataFrame, duplicates: pl.DataFrame | None = None, near: float | None = 0.8
) -> DocumentGroups:
    """Join the documents of a table that say the same.

    The relation is made transitive: a near copy of a document's duplicate is in its group.

    Args:
        frame: The table; pieces of one document are documents of their own.
        duplicates: Links, columns ``a`` and ``b`` with samples; None for none.
        near: Smallest share of words that near copies share; None looks for equal texts only.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    documents = np.flatnonzero((frame["side"] == "document").to_numpy())
    direct: dict[tuple[int, int], float] = {}
    counts = {"equal texts": 0}
    first: dict[int, int] = {}
    for row, content in zip(documents.tolist(), frame["content"].gather(documents).to_list(), strict=True):
        if content in first:
            direct[first[content], row] = 1.0
            counts["equal texts"] += 1
        first.setdefault(content, row)
    if near is not None:
        reader = DocumentReader()
        once = np.array(sorted(first.values()), dtype=np.int64)
        sets = word_sets(text_of_row(reader, row) for row in frame[once].iter_rows(named=True))
        pairs, similarity = near_copies(sets, near)
        counts["near copies"] = len(pairs)
        for (one, other), value in zip(once[pairs].tolist(), similarity.tolist(), strict=True):
            direct.setdefault((one, other), min(value, 0.999))  # equal words in another order are no equal text
    if duplicates is not None:
        place = dict(zip(frame["sample"].to_list(), range(len(frame)), strict=True))
        ends = [(place.get(a), place.get(b)) for a, b in duplicates.select("a", "b").iter_rows()]
        known = {(min(a, b), max(a, b)) for a, b in ends if a is not None and b is not None and a != b}
        counts["links"] = len(known)
        for pair in known:
            direct.setdefault(pair, float("nan"))
    edges = np.array(list(direct), dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(len(frame), len(frame)))
    _, codes = connected_components(graph, directed=False)
    codes = codes.astype(np.int64)
    codes[(frame["side"] != "document").to_numpy()] = -1
    _, codes[documents] = np.unique(codes[documents], return_inverse=True)
    return DocumentGroups(codes, direct, counts)
