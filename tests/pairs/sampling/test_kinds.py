"""Queries and documents: each seat of a slot holds rows of one side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.pairs import BatchSampler, Composition, linked, same

QUERIES, DOCUMENTS = 30, 50


def archive(column: str = "side") -> tuple[dict[str, Any], dict[str, Any]]:
    """Thirty queries, the last three without a relevant document; fifty documents; edges between them."""
    n = QUERIES + DOCUMENTS
    table = {
        "sample": [*(f"q{i}" for i in range(QUERIES)), *(f"d{i}" for i in range(DOCUMENTS))],
        column: ["query"] * QUERIES + ["document"] * DOCUMENTS,
        "topic": [i % 10 for i in range(n)],
    }
    relevant = [(f"q{i}", f"d{i}") for i in range(QUERIES - 3)]
    mined = [(f"q{i}", f"d{(i + k) % DOCUMENTS}") for i in range(QUERIES) for k in (0, 5, 9)]
    edges = {"qrels": relevant, "mined": mined}
    return table, {name: dict(zip("ab", zip(*pairs, strict=True), strict=True)) for name, pairs in edges.items()}


def sampler_of(table: Any, edges: Any, batch: int = 9, **options: Any) -> BatchSampler:
    options = {"kind": "partner", "seeds": "query", **options}
    given = {"qrels": edges["qrels"]}
    bound = linked("qrels").bind(table, edges=given)
    return BatchSampler(bound, Composition(**options), batch, table=table, edges=edges)


@pytest.mark.parametrize("column", ["side", "kind"])
@pytest.mark.parametrize("negatives", ["linked('mined')", "same('topic') & linked('mined')"])
def test_a_slot_is_a_query_its_document_and_other_documents(column: str, negatives: str) -> None:
    table, edges = archive(column)
    sampler = sampler_of(table, edges, negatives=negatives, n_negatives=3)
    assert len(sampler) == 3
    assert sampler.n_seeds == 27
    assert sampler.seats.left_out == 3
    for epoch in range(3):
        seats = sampler.plan(epoch).reshape(3, 5, 9).swapaxes(0, 1).reshape(5, -1)
        assert sorted(seats[0].tolist()) == list(range(27))  # each that has a document, once
        assert (seats[1] == seats[0] + QUERIES).all()
        assert (seats[2:] >= QUERIES).all()
        assert (seats[2:] != seats[1]).all()
        assert all(len(set(slot)) == 5 for slot in seats.T.tolist())


def test_before_anything_is_mined_negatives_are_documents_too() -> None:
    table, edges = archive()
    edges["mined"] = {"a": [], "b": []}
    sampler = sampler_of(table, edges, negatives="linked('mined')", n_negatives=2)
    seats = sampler.plan(0).reshape(3, 4, 9)
    assert (seats[:, 1:] >= QUERIES).all()


def test_seeds_of_one_side_without_partners() -> None:
    table, edges = archive()
    sampler = sampler_of(table, edges, kind="random")
    assert sorted(sampler.plan(0).ravel()[:QUERIES].tolist()) == list(range(QUERIES))
    assert sampler.plan(0).max() < QUERIES


@pytest.mark.parametrize(
    ("rule", "options", "message", "hint"),
    [
        ("linked", {"seeds": None, "negatives": "linked('mined')"}, "the first seat would mix rows of side", "query"),
        ("linked", {"seeds": "querry"}, "no row has side 'querry'", "query"),
        ("linked", {"negatives": "same('topic')"}, "the seat of negatives would mix", "narrow negatives"),
        ("topic", {}, "the seat of partners would mix rows of side 'document' and 'query'", "narrow the rule"),
        ("linked", {"negatives": "linked('mined')", "warmup": "same('topic')", "empty": True}, "negatives", "warmup"),
    ],
)
def test_a_seat_that_would_mix_sides_is_refused(rule: str, options: Any, message: str, hint: str) -> None:
    table, edges = archive()
    if options.pop("empty", False):
        edges["mined"] = {"a": [], "b": []}
    composed = {"kind": "partner", "seeds": "query", **options}
    bound = (
        same("topic").bind(table) if rule == "topic" else linked("qrels").bind(table, edges={"qrels": edges["qrels"]})
    )
    with pytest.raises(UsageError, match=message) as caught:
        BatchSampler(bound, Composition(**composed), 9, table=table, edges=edges)
    assert hint in caught.value.hint


def test_seeds_need_a_column_that_says_sides() -> None:
    bound = same("g").bind({"g": [0, 1] * 8})
    with pytest.raises(UsageError, match="the table says no sides"):
        BatchSampler(bound, Composition("random", seeds="query"), 4, table={"g": [0, 1] * 8})
    with pytest.raises(UsageError, match="can't be composed by 'groups'"):
        Composition("groups", seeds="query")


def test_too_few_seeds_for_a_batch_are_refused() -> None:
    table, edges = archive()
    with pytest.raises(DataError, match="27 rows can be seeds, fewer than a batch of 28"):
        sampler_of(table, edges, batch=28)


def test_sides_do_not_matter_without_negatives_and_seeds() -> None:
    table = {"side": ["left", "right"] * 8, "patient": np.arange(16) // 2}
    sampler = BatchSampler(same("patient").bind(table), Composition("partner"), 4, table=table)
    assert sorted(sampler.plan(0)[:, :4].ravel().tolist()) == list(range(16))


def test_a_refresh_that_would_mix_sides_changes_nothing() -> None:
    table, edges = archive()
    sampler = sampler_of(table, edges, negatives="linked('mined')")
    plan = sampler.plan(1)
    wrong = {**edges, "mined": {"a": ["q0", "q1"], "b": ["q2", "d20"]}}
    with pytest.raises(UsageError, match="the seat of negatives would mix"):
        sampler.rebind(sampler.bound, edges=wrong)
    assert np.array_equal(sampler.plan(1), plan)
