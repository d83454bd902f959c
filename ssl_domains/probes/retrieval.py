"""Retrieval: each query ranks the items of a gallery by similarity, and the ranks of relevant items are scored.

Chechik et al. 2010, Large Scale Online Learning of Image Similarity Through Ranking (precision of the ranking); Wang et
al. 2014, Learning Fine-grained Image Similarity with Deep Ranking (graded relevance); Järvelin & Kekäläinen 2002,
Cumulated Gain-based Evaluation of IR Techniques (nDCG).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Retrieval", "retrieve"]

Strip = tuple[NDArray[np.float64], NDArray[np.bool_]]

_QUERIES = 256
_GAIN_AT = 10


@dataclass(frozen=True)
class Retrieval:
    """Scores of a ranking, each a mean over the queries with a relevant item.

    Attributes:
        values: ``hit@k``: share of queries with a relevant item among the first k (metric learning calls it recall@k);
            ``recall@k``: share of a query's relevant items among the first k; ``mAP``: mean of the average precision
            over the whole ranking; ``nDCG@10`` where grades differ. None where no query has a relevant item.
        queries: Number of queries that are scored.
        unanswerable: Number of queries without a relevant item, which are left out.
        tied: Number of scored queries where a relevant and an irrelevant item are equally similar to the query. Items
            that are equally similar are ranked by their order in the gallery.
    """

    values: dict[str, float | None]
    queries: int
    unanswerable: int
    tied: int


def retrieve(
    queries: NDArray[Any],
    gallery: NDArray[Any],
    judged: Callable[[slice], Strip],
    *,
    at: Sequence[int] = (1, 5, 10),
    graded: bool = False,
) -> Retrieval:
    """Rank the gallery for each query by the cosine, and score the ranks of relevant items.

    Features are centred on the mean of the gallery first: pooled features after a ReLU are all positive, and without
    centring every cosine is near 1.

    Args:
        queries: Features ``[q, F]``.
        gallery: Features ``[g, F]``.
        judged: Function from a slice of the queries to the grade of each item, float64 ``[m, g]``, 0 for an irrelevant
            one; and whether the item is ranked for the query, bool ``[m, g]``. The query itself must not be.
        at: The values of k.
        graded: Whether grades differ, so that nDCG is computed; its gain is the grade.

    Returns:
        The scores.
    """
    centre = np.asarray(gallery, np.float64).mean(axis=0)
    items, asking = _unit(gallery - centre), _unit(queries - centre)
    rows: list[list[float]] = []
    tied = 0
    for start in range(0, len(asking), _QUERIES):
        strip = slice(start, min(start + _QUERIES, len(asking)))
        grades, ranked = judged(strip)
        # Summed in float64 and rounded to float32: products of equal rows are then equal, wherever they stand.
        similar = (asking[strip] @ items.T).astype(np.float32)
        for one, grade, among in zip(similar, grades, ranked, strict=True):
            order = np.argsort(-one[among], kind="stable")
            gains = grade[among][order]
            if gains.any():
                rows.append(_scores(gains, at, graded))
                tied += _is_tied(one[among][order], gains > 0)
    names = [*(f"hit@{k}" for k in at), *(f"recall@{k}" for k in at), "mAP", *(["nDCG@10"] if graded else [])]
    means = np.mean(rows, axis=0).tolist() if rows else [None] * len(names)
    return Retrieval(dict(zip(names, means, strict=True)), len(rows), len(asking) - len(rows), tied)


def _scores(gains: NDArray[np.float64], at: Sequence[int], graded: bool) -> list[float]:
    """The scores of one query, from the grades of its items in the order of their ranks."""
    relevant = gains > 0
    count = int(relevant.sum())
    found = np.cumsum(relevant)
    within = [int(found[min(k, len(found)) - 1]) for k in at]
    precision = float((found[relevant] / (np.flatnonzero(relevant) + 1)).sum() / count)
    values = [*(float(one > 0) for one in within), *(one / count for one in within), precision]
    return [*values, _gain(gains) / _gain(np.sort(gains)[::-1])] if graded else values


def _gain(gains: NDArray[np.float64]) -> float:
    first = gains[:_GAIN_AT]
    return float((first / np.log2(np.arange(2, len(first) + 2))).sum())


def _is_tied(similar: NDArray[np.float32], relevant: NDArray[np.bool_]) -> bool:
    """Whether a relevant item is exactly as similar as an irrelevant one; ``similar`` is in descending order."""
    return bool(np.isin(similar[relevant], similar[~relevant]).any())


def _unit(x: NDArray[Any]) -> NDArray[np.float64]:
    length = np.linalg.norm(np.asarray(x, np.float64), axis=1, keepdims=True)
    return np.asarray(x / np.maximum(length, 1e-12), dtype=np.float64)
