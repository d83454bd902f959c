"""Computed columns and edge tables: after a refresh, loss and draw are those of a new bind to the same values."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from ssl_domains.errors import DataError, UsageError
from ssl_domains.pairs import BatchSampler, BoundObjective, Composition, Objective, Rows, Rule, linked, same, within
from ssl_domains.pairs.computed import Binding, Computed, edges_between
from ssl_domains.samples import SampleTable

N = 24
RNG = np.random.default_rng(5)
TABLE = SampleTable.of({"sample": [f"s{k}" for k in range(N)], "patient": [f"p{k // 3}" for k in range(N)]})


def codes() -> Any:
    return RNG.integers(-1, 4, N)


def same_states(one: BoundObjective, two: BoundObjective) -> None:
    rows = Rows.of(list(range(N)), views=2)
    first, second = one.pairs(rows).dense(), two.pairs(rows).dense()
    assert torch.equal(first.weights, second.weights)
    assert torch.equal(first.allowed, second.allowed)
    for relation in range(len(one.relations)):
        a, b = (bound.draw(np.arange(N), 2, np.random.default_rng(3), relation) for bound in (one, two))
        assert np.array_equal(a, b)


def test_columns_after_a_refresh_are_those_of_a_new_bind() -> None:
    objective = 0.5 * same("cluster") + 0.5 * (same("patient") & within("depth", 0.3))
    binding = Binding.of(objective, TABLE, columns=("cluster", "depth"))
    assert (binding.bound.draw(np.arange(N), 1, np.random.default_rng(0)) == -1).all()  # no matches at first
    for version in (1, 2, 3):
        cluster, depth = codes(), np.where(RNG.random(N) < 0.2, np.nan, RNG.random(N))
        binding.refresh(columns={"cluster": cluster, "depth": torch.from_numpy(depth)})
        fresh = objective.bind(
            {
                "patient": TABLE.column("patient"),
                "cluster": [None if code < 0 else int(code) for code in cluster],
                "depth": depth,
            }
        )
        same_states(binding.bound, fresh)
        assert binding.computed.version == version


def test_edges_after_a_refresh_are_those_of_a_new_bind() -> None:
    objective = 1 * linked("mined", grade="grade")
    binding = Binding.of(objective, TABLE, edges=("mined",))
    assert (binding.bound.draw(np.arange(N), 1, np.random.default_rng(0)) == -1).all()
    for _ in range(3):
        i, j, grade = RNG.integers(0, N, 30), RNG.integers(0, N, 30), RNG.random(30)
        binding.refresh(edges={"mined": edges_between(TABLE, torch.from_numpy(i), j, grade)})
        frame = pl.DataFrame({"a": [f"s{k}" for k in i], "b": [f"s{k}" for k in j], "grade": grade})
        same_states(binding.bound, objective.bind(TABLE, edges={"mined": frame}))
        drawn = binding.bound.draw(i[i != j], 1, np.random.default_rng(0)).ravel()
        assert (drawn >= 0).all()


def test_columns_that_are_not_replaced_stay() -> None:
    binding = Binding.of(same("cluster") + same("other"), TABLE, columns=("cluster", "other"))
    one, two = codes(), codes()
    binding.refresh(columns={"cluster": one, "other": two})
    binding.refresh(columns={"other": one})
    assert np.array_equal(binding.computed.columns["cluster"], one)
    assert np.array_equal(binding.computed.columns["other"], one)


def test_a_refresh_does_not_follow_what_the_caller_does_to_the_array() -> None:
    binding = Binding.of(same("cluster"), TABLE, columns=("cluster",))
    values = np.zeros(N, dtype=np.int64)
    binding.refresh(columns={"cluster": values})
    values[:] = -1
    assert (binding.computed.columns["cluster"] == 0).all()


@pytest.mark.parametrize("kind", ["groups", "draw", "partner"])
def test_the_sampler_plans_by_the_last_version(kind: Any) -> None:
    rule = same("cluster")
    binding = Binding.of(rule, TABLE, columns=("cluster",))
    sampler = BatchSampler(binding.bound, Composition(kind), 6, seed=2)
    before = sampler.plan(1)
    cluster = np.arange(N) % 6
    sampler.rebind(binding.refresh(columns={"cluster": cluster}))
    fresh = BatchSampler(rule.bind({"cluster": cluster}), Composition(kind), 6, seed=2)
    assert np.array_equal(sampler.plan(1), fresh.plan(1))
    assert not np.array_equal(sampler.plan(1), before)


def test_a_sampler_is_not_bound_to_something_else() -> None:
    sampler = BatchSampler(same("patient").bind(TABLE), Composition("groups"), 6)
    plan = sampler.plan(0)
    for other in (same("sample").bind(TABLE), same("patient").bind({"patient": [1, 1]})):
        with pytest.raises(UsageError, match="no binding of the sampler's objective"):
            sampler.rebind(other)
    assert np.array_equal(sampler.plan(0), plan)


def test_a_checkpoint_has_the_state_without_a_pickle() -> None:
    edges = edges_between(TABLE, [0, 1, 22], [5, 1, 23], [0.5, 0.25, 1.0])
    named = edges.with_columns(b=pl.Series(["s5", "ü", ""]))
    computed = Computed.nothing(N, ("cluster", "depth"), ("mined",)).rewritten(
        {"cluster": codes(), "depth": RNG.random(N)}, {"mined": named}
    )
    file = io.BytesIO()
    torch.save({"computed": computed.to_state()}, file)
    file.seek(0)
    read = Computed.from_state(torch.load(file, weights_only=True)["computed"])
    assert read.version == 1
    assert read.edges["mined"].equals(named)
    for name, values in computed.columns.items():
        assert read.columns[name].dtype == values.dtype
        assert np.array_equal(read.columns[name], values)


def test_an_empty_state_comes_back_too() -> None:
    nothing = Computed.nothing(3, ("cluster",), ("mined",))
    read = Computed.from_state(nothing.to_state())
    assert read.version == 0
    assert read.edges["mined"].schema == nothing.edges["mined"].schema
    assert read.columns["cluster"].tolist() == [-1, -1, -1]


def test_restoring_gives_the_same_pairs() -> None:
    objective: Objective | Rule = same("cluster")
    binding, other = (Binding.of(objective, TABLE, columns=("cluster",)) for _ in range(2))
    binding.refresh(columns={"cluster": codes()})
    other.restore(Computed.from_state(binding.computed.to_state()))
    same_states(binding.bound, other.bound)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"columns": {"clusters": np.zeros(N)}}, UsageError, "nothing computed is named 'clusters'"),
        ({"columns": {"cluster": np.zeros(N - 1)}}, DataError, "23 values for 24 rows"),
        ({"columns": {"cluster": np.zeros((N, 2))}}, UsageError, "2 dimensions"),
        ({"columns": {"cluster": np.array(["a"] * N)}}, UsageError, "'cluster' is <U1"),
    ],
)
def test_a_refresh_that_fails_changes_nothing(given: Any, error: type[Exception], message: str) -> None:
    binding = Binding.of(same("cluster"), TABLE, columns=("cluster",))
    bound = binding.bound
    with pytest.raises(error, match=message):
        binding.refresh(**given)
    assert binding.bound is bound
    assert binding.computed.version == 0


def test_a_column_of_the_table_is_not_computed() -> None:
    with pytest.raises(UsageError, match="has a column 'patient'"):
        Binding.of(same("patient"), TABLE, columns=("patient",))
