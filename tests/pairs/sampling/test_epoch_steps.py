"""Short epochs: they continue one permutation, whatever is bound meanwhile, and end where the next begins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.errors import UsageError
from ssl_domains.pairs import BatchSampler, Composition, same

SIZES = [5, 7, 9, 3, 2]
TABLE = {"g": [k for k, size in enumerate(SIZES) for _ in range(size)], "c": [0, 1] * 13}
ROWS = sum(SIZES)


def sampler_of(kind: Any, steps: int | None, seed: int = 3, **options: Any) -> BatchSampler:
    composition = Composition(kind, epoch_steps=steps, **options)
    return BatchSampler(same("g").bind(TABLE), composition, 4, seed=seed, table=TABLE)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["random", "partner"]), st.integers(1, 30), st.booleans())
def test_each_permutation_is_finished_before_the_next_begins(kind: Any, steps: int, negatives: bool) -> None:
    sampler = sampler_of(kind, steps, negatives="same('c')" if negatives else None)
    assert len(sampler) == steps
    epochs = math.ceil(3 * ROWS / (steps * 4))
    seeds = np.concatenate([sampler.plan(epoch)[:, :4].ravel() for epoch in range(epochs)])
    for turn in range(3):
        assert sorted(seeds[turn * ROWS : (turn + 1) * ROWS].tolist()) == list(range(ROWS))
    assert set(seeds[: math.ceil(ROWS / (steps * 4)) * steps * 4].tolist()) == set(range(ROWS))


@pytest.mark.parametrize("steps", [1, 2, 5, 20])
def test_drawn_seeds_go_on_too(steps: int) -> None:
    sampler = sampler_of("draw", steps)
    seeds = np.concatenate([sampler.plan(epoch).reshape(-1, 2)[:, 0] for epoch in range(math.ceil(ROWS / steps))])
    assert sorted(seeds[:ROWS].tolist()) == sorted(seeds[ROWS : 2 * ROWS].tolist()) == list(range(ROWS))


@pytest.mark.parametrize("steps", [1, 3, 50])
def test_the_chunks_of_groups_go_on(steps: int) -> None:
    whole = sampler_of("groups", None)
    chunks = -(-np.array(SIZES) // 2)  # of each group, the last one filled up
    sampler = sampler_of("groups", steps)
    plan = np.concatenate([sampler.plan(epoch) for epoch in range(math.ceil(2 * whole.plan(0).size / (4 * steps)) + 1)])
    pairs = plan.reshape(-1, 2)
    for turn in range(2):
        own = pairs[turn * chunks.sum() : (turn + 1) * chunks.sum()]
        assert set(own.ravel().tolist()) == set(range(ROWS))
        groups = np.array(TABLE["g"])[own]
        assert (groups[:, 0] == groups[:, 1]).all()
        assert np.bincount(groups[:, 0]).tolist() == chunks.tolist()


@pytest.mark.parametrize("kind", ["random", "groups", "draw", "partner"])
def test_what_is_left_of_a_permutation_goes_on_after_a_rebind_and_a_resume(kind: Any) -> None:
    alone, again = sampler_of(kind, 2), sampler_of(kind, 2)
    list(again)
    again.rebind(same("g").bind(TABLE))
    for epoch in (1, 5, 2):
        assert np.array_equal(again.plan(epoch), alone.plan(epoch))
    third = sampler_of(kind, 2, seed=0)
    third.load_state_dict({"seed": 3, "epoch": 4, "step": 1})
    asks = list(third)
    assert asks == alone.plan(4)[1:].tolist()
    assert third.state_dict() == {"seed": 3, "epoch": 5, "step": 0}
    assert [ask.step for ask in asks] == [9]


@pytest.mark.parametrize("world_size", [2, 4])
def test_processes_share_a_short_epoch(world_size: int) -> None:
    bound, composition = same("g").bind(TABLE), Composition("random", epoch_steps=3)
    ranks = [BatchSampler(bound, composition, 4, 1, rank, world_size) for rank in range(world_size)]
    plan = BatchSampler(bound, composition, 4, 1).plan(0)
    assert [[i for ask in step for i in ask] for step in zip(*ranks, strict=True)] == plan.tolist()


def test_an_epoch_has_a_step_at_least_and_the_reason_says_how_many() -> None:
    with pytest.raises(UsageError, match="epoch_steps is 0"):
        Composition(epoch_steps=0)
    assert sampler_of("random", 100).reason.endswith("epochs of 100 batches")
