"""Retrieval scores against a plain loop over queries and ranks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ssl_domains.probes import Retrieval, retrieve
from ssl_domains.probes import retrieval as module

AT = (1, 3, 7)


def by_a_loop(
    queries: NDArray[Any], gallery: NDArray[Any], grades: NDArray[np.float64], ranked: NDArray[np.bool_]
) -> dict[str, float]:
    """Every score from its definition, one query, one item at a time."""
    centre = gallery.mean(axis=0)
    rows = []
    for q in range(len(queries)):
        among = [j for j in range(len(gallery)) if ranked[q, j]]
        cosine = {}
        for j in among:
            a, b = queries[q] - centre, gallery[j] - centre
            cosine[j] = np.float32((a / np.linalg.norm(a)) @ (b / np.linalg.norm(b)))
        order = sorted(among, key=lambda j: (-cosine[j], j))
        relevant = {j for j in among if grades[q, j] > 0}
        if not relevant:
            continue
        row = {}
        for k in AT:
            first = [j for j in order[:k] if j in relevant]
            row[f"hit@{k}"] = float(bool(first))
            row[f"recall@{k}"] = len(first) / len(relevant)
        precisions = []
        for rank, j in enumerate(order, start=1):
            if j in relevant:
                precisions.append(sum(other in relevant for other in order[:rank]) / rank)
        row["mAP"] = sum(precisions) / len(relevant)
        gain = sum(grades[q, j] / math.log2(rank + 1) for rank, j in enumerate(order[:10], start=1))
        best = sorted((grades[q, j] for j in among), reverse=True)[:10]
        row["nDCG@10"] = gain / sum(one / math.log2(rank + 1) for rank, one in enumerate(best, start=1))
        rows.append(row)
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def judging(grades: NDArray[np.float64], ranked: NDArray[np.bool_]) -> Any:
    return lambda strip: (grades[strip], ranked[strip])


@pytest.mark.parametrize("seed", range(6))
def test_scores_equal_a_loop_over_ranks(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUERIES", 4)
    rng = np.random.default_rng(seed)
    queries, gallery = rng.normal(size=(11, 5)), rng.normal(size=(17, 5))
    ranked = rng.random((11, 17)) < 0.8
    grades = np.where(rng.random((11, 17)) < 0.2, rng.choice([0.25, 0.5, 1.0], (11, 17)), 0) * ranked
    result = retrieve(queries, gallery, judging(grades, ranked), at=AT, graded=True)
    expected = by_a_loop(queries, gallery, grades, ranked)
    assert result.values == pytest.approx(expected, abs=1e-12)
    assert result.queries == int((grades > 0).any(axis=1).sum())
    assert result.queries + result.unanswerable == 11
    assert result.tied == 0


def test_equally_similar_items_keep_their_order_and_are_counted() -> None:
    gallery = np.array([[1.0, 0], [1, 0], [-1, 0], [-1, 0]])
    queries = np.array([[2.0, 0], [2, 0], [-3, 0]])
    ranked = np.ones((3, 4), dtype=bool)
    grades = np.array([[0, 1.0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0]])
    result = retrieve(queries, gallery, judging(grades, ranked), at=(1, 2))
    assert result.tied == 2
    assert result.values == pytest.approx(
        {"hit@1": 2 / 3, "hit@2": 1.0, "recall@1": (0 + 0.5 + 1) / 3, "recall@2": 1.0, "mAP": (0.5 + 1 + 1) / 3}
    )


def test_a_query_without_a_relevant_item_is_left_out_and_counted() -> None:
    rng = np.random.default_rng(0)
    grades = np.zeros((3, 4))
    grades[1, 2] = 1
    result = retrieve(rng.normal(size=(3, 2)), rng.normal(size=(4, 2)), judging(grades, np.ones((3, 4), bool)), at=(4,))
    assert (result.queries, result.unanswerable) == (1, 2)
    assert result.values["recall@4"] == 1
    nothing = retrieve(rng.normal(size=(3, 2)), rng.normal(size=(4, 2)), judging(0 * grades, np.ones((3, 4), bool)))
    assert nothing == Retrieval(dict.fromkeys(nothing.values), 0, 3, 0)
    assert set(nothing.values.values()) == {None}
