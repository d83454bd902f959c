"""What the batch sampler yields: steps of the run, slots of the global batch, seats."""

from __future__ import annotations

import pickle

import numpy as np
import polars as pl

from ssl_domains.pairs import Ask, BatchSampler, Composition, same
from ssl_domains.samples import SampleTable


def _bound():
    frame = pl.DataFrame({"sample": [f"s{i}" for i in range(20)], "g": [i // 4 for i in range(20)]})
    return same("g").bind(SampleTable.of(frame))


def test_an_ask_is_the_list_of_its_seats_also_when_it_was_pickled() -> None:
    ask = Ask(3, np.array([4, 5]), np.array([[7, 8], [9, 7]]))
    again = pickle.loads(pickle.dumps(ask))
    for one in (ask, again):
        assert one == [7, 8, 9, 7]
        assert one.step == 3
        assert one.slots.tolist() == [4, 5]
        assert one.seats.tolist() == [[7, 8], [9, 7]]


def test_processes_get_their_slots_of_the_global_batch_with_all_seats() -> None:
    whole = list(BatchSampler(_bound(), Composition("partner"), 8))
    parts = [list(BatchSampler(_bound(), Composition("partner"), 8, rank=rank, world_size=2)) for rank in (0, 1)]
    for step, ask in enumerate(whole):
        assert ask.step == step
        assert ask.slots.tolist() == list(range(8))
        assert ask.seats.shape == (2, 8)
        assert np.array_equal(np.concatenate([part[step].seats for part in parts], axis=1), ask.seats)
        assert np.concatenate([part[step].slots for part in parts]).tolist() == ask.slots.tolist()


def test_steps_count_over_epochs_and_from_where_they_are_set() -> None:
    sampler = BatchSampler(_bound(), Composition("random"), 8)
    steps = [ask.step for _ in range(2) for ask in sampler]
    assert steps == list(range(2 * len(sampler)))
    sampler.set_position(1, 1)
    assert [ask.step for ask in sampler] == list(range(len(sampler) + 1, 2 * len(sampler)))
    sampler.set_position(1, 1, steps_before=100)
    assert [ask.step for ask in sampler] == list(range(101, 100 + len(sampler)))
    assert next(ask.step for ask in sampler) == 100 + len(sampler)
