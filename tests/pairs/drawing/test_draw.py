"""Drawing positives against brute force over all pairs."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.errors import UsageError
from ssl_domains.pairs import BoundObjective, Rule, linked, overlap, same, within

RULES = [
    same("patient"),
    same("patient", "eye"),
    within("mm", 4),
    within("mm", 0),
    within("mm", 0.1),
    same("patient") & within("mm", 4),
    within("mm", 0.3) & same("patient", "eye"),
    within("mm", 4, decay="linear"),
    within("mm", 4, decay="linear") & within("mm", 2, decay="linear") & ~same("eye"),
    overlap("tags"),
    overlap("tags", at_least=2),
    overlap("tags", weight="jaccard") & same("eye"),
    linked("edges"),
    linked("edges", grade="grade") | same("patient"),
    overlap("tags") | within("mm", 0.3) | ~same("eye"),
    ~same("patient") & ~overlap("tags"),
]
EDGES = {"a": ["0", "1", "1", "9"], "b": ["1", "2", "1", "3"], "grade": [1.0, 0.5, 1.0, -1.0]}

tables = st.integers(1, 25).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "patient": st.lists(st.sampled_from(["a", "b", "c", None]), min_size=n, max_size=n),
            "eye": st.lists(st.sampled_from(["L", "R"]), min_size=n, max_size=n),
            "mm": st.lists(
                st.one_of(
                    st.integers(-60, 60).map(lambda k: k / 10),  # 0.1 steps: x − y is rounded
                    st.sampled_from([None, float("nan"), float("inf"), -float("inf"), 1e16, 1e16 + 4, 5e-324]),
                ),
                min_size=n,
                max_size=n,
            ),
            "tags": st.lists(st.one_of(st.none(), st.lists(st.integers(0, 5), max_size=3)), min_size=n, max_size=n),
        }
    )
)


def frame(columns: dict[str, list[Any]]) -> pl.DataFrame:
    schema: Any = {"patient": pl.String, "eye": pl.String, "mm": pl.Float64, "tags": pl.List(pl.Int64)}
    return pl.DataFrame(columns, schema=schema)


def bind(rule: Rule, columns: dict[str, list[Any]]) -> BoundObjective:
    return rule.bind(frame(columns), edges={"edges": EDGES} if "linked" in str(rule) else None)


@settings(max_examples=150, deadline=None)
@given(tables, st.sampled_from(RULES), st.integers(1, 6), st.integers(0, 2**32))
def test_every_drawn_sample_matches_and_every_match_can_be_drawn(
    columns: dict[str, list[Any]], rule: Rule, k: int, seed: int
) -> None:
    bound = bind(rule, columns)
    n = bound.size
    matches = bound.relations[0].rule.matches(np.arange(n), np.arange(n)) & ~np.eye(n, dtype=bool)
    drawn = bound.draw(np.arange(n), k, np.random.default_rng(seed))
    assert drawn.shape == (n, k)
    for anchor in range(n):
        allowed = set(np.flatnonzero(matches[anchor]).tolist())
        found = drawn[anchor].tolist()
        if not allowed:
            assert found == [-1] * k
            continue
        assert set(found) <= allowed
        assert len(set(found)) == min(k, len(allowed))  # different while there are enough, all when there are not


@settings(max_examples=60, deadline=None)
@given(tables, st.sampled_from(RULES), st.data())
def test_among_narrows_who_is_drawn_not_who_draws(
    columns: dict[str, list[Any]], rule: Rule, data: st.DataObject
) -> None:
    bound = bind(rule, columns)
    n = bound.size
    among = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))), dtype=np.int64)
    matches = bound.relations[0].rule.matches(np.arange(n), np.arange(n)) & ~np.eye(n, dtype=bool)
    drawn = bound.draw(np.arange(n), n, np.random.default_rng(0), among=among)
    for anchor in range(n):
        allowed = set(np.flatnonzero(matches[anchor]).tolist()) & set(among.tolist())
        assert set(drawn[anchor].tolist()) == (allowed or {-1})


def test_matches_are_equally_likely() -> None:
    bound = same("g").bind({"g": ["a"] * 5 + ["b"]})
    drawn = bound.draw(np.zeros(40_000, dtype=np.int64), 2, np.random.default_rng(0))
    counts = np.bincount(drawn.ravel(), minlength=6)
    assert counts[[0, 5]].tolist() == [0, 0]
    assert np.abs(counts[1:5] - 20_000).max() < 600  # five standard deviations


def test_the_same_generator_draws_the_same_also_from_a_pickled_copy() -> None:
    bound = (same("g") & within("x", 3)).bind({"g": [0, 0, 0, 1, 1] * 4, "x": list(range(20))})
    first = bound.draw(np.arange(20), 3, np.random.default_rng(7))
    copy = pickle.loads(pickle.dumps(bound))
    assert np.array_equal(first, copy.draw(np.arange(20), 3, np.random.default_rng(7)))


def test_each_relation_draws_by_its_own_rule() -> None:
    bound = (0.7 * same("a") + 0.3 * same("b")).bind({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]})
    rng = np.random.default_rng(0)
    assert bound.draw(np.arange(4), 1, rng, relation=0).ravel().tolist() == [1, 0, 3, 2]
    assert bound.draw(np.arange(4), 1, rng, relation=1).ravel().tolist() == [2, 3, 0, 1]


def test_positions_that_are_not_there_are_refused() -> None:
    bound = same("a").bind({"a": [0, 0]})
    rng = np.random.default_rng(0)
    for anchors, among in (([2], None), ([-1], None), ([0], [0, 2]), ([0], [-1])):
        with pytest.raises(UsageError, match="there is no position"):
            bound.draw(np.array(anchors), 1, rng, among=None if among is None else np.array(among))
    with pytest.raises(UsageError, match="-1 positives"):
        bound.draw(np.arange(2), -1, rng)


def test_a_relation_that_is_not_there_is_refused() -> None:
    bound = same("a").bind({"a": [0, 0]})
    with pytest.raises(UsageError, match="no relation 1"):
        bound.draw(np.arange(2), 1, np.random.default_rng(0), relation=1)
