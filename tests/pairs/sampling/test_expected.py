"""Counting positives of planned batches against a loop over pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.pairs import BatchSampler, Composition, Rule, linked, overlap, same, within
from ssl_domains.pairs.inspection.counts import count_pairs
from ssl_domains.pairs.sampling.expected import cross_positives, measurable_batches

RULES = [
    same("g"),
    within("x", 1),
    same("g") & within("x", 1),
    ~same("g"),
    within("x", 2, decay="linear"),
    overlap("tags"),
    overlap("tags", weight="jaccard") & same("g"),
    linked("edges", grade="grade") | same("g"),
]


def bind(rule: Rule, columns: dict[str, Any]) -> Any:
    edges = {"a": ["s0", "s1", "s2"], "b": ["s1", "s5", "s7"], "grade": [0.5, 0.0, 2.0]}
    return rule.bind(columns, edges={"edges": edges} if "linked" in str(rule) else None)


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from(RULES))
def test_distinct_matching_others_are_counted(data: st.DataObject, rule: Rule) -> None:
    n = data.draw(st.integers(1, 8))
    group = data.draw(st.lists(st.sampled_from(["a", "b", None]), min_size=n, max_size=n))
    number = data.draw(st.lists(st.sampled_from([0.0, 1.0, 3.0, None]), min_size=n, max_size=n))
    tags = data.draw(st.lists(st.one_of(st.none(), st.lists(st.integers(0, 3), max_size=3)), min_size=n, max_size=n))
    table = {"sample": [f"s{k}" for k in range(n)], "g": group, "x": number}
    bound = bind(rule, {**table, "tags": pl.Series(tags, dtype=pl.List(pl.Int64))})
    steps, size = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 6))
    slots = data.draw(st.lists(st.integers(0, n - 1), min_size=steps * size, max_size=steps * size))
    plan = np.array(slots, dtype=np.int64).reshape(steps, size)
    relation = bound.relations[0]
    everyone = np.arange(n)
    matches: Any = relation.rule.matches(everyone, everyone)
    expected = [[sum(j != i and matches[i, j] for j in set(batch.tolist())) for i in batch] for batch in plan]
    assert cross_positives(relation, plan).tolist() == expected
    counted = count_pairs(bound, plan, {})
    distinct = [np.unique(batch) for batch in plan]
    assert counted.total == sum(len(batch) * (len(batch) - 1) for batch in distinct)
    assert counted.positive == [sum(int(matches[i, j]) for b in distinct for i in b for j in b if i != j)]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_partner_counts_as_its_seeds_positive(rule: Rule) -> None:
    n = 12
    table = {
        "sample": [f"s{k}" for k in range(n)],
        "g": [k // 2 for k in range(n)],
        "x": [3.0 * (k // 2) for k in range(n)],
        "tags": [[k // 2] for k in range(n)],
    }
    bound = bind(rule, table)
    rows = np.arange(n)
    matches = bound.relations[0].rule.matches(rows, rows) & ~np.eye(n, dtype=bool)
    plan = BatchSampler(bound, Composition("partner"), 3).plan(0)
    found = cross_positives(bound.relations[0], plan)
    assert (found > 0).tolist() == matches.any(1)[plan].tolist()


def test_the_number_of_compared_pairs_is_limited() -> None:
    n = 4000
    plan = np.arange(n).reshape(2, -1).repeat(20, axis=0)
    table = {"g": [0] * n, "x": [0.0] * n, "tags": [[0]] * n}
    measured = [measurable_batches(bind(rule, table).relations[0], plan) for rule in (RULES[0], RULES[1], RULES[5])]
    assert measured == [40, 16, 2]
