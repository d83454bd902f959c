"""Generators: kept as tensors, restored exactly, and given back as they were."""

from __future__ import annotations

import io
import random

import numpy as np
import torch

from ssl_domains.engine.processes.generators import generator_states, restore_generators, seeded


def _draw() -> list[float]:
    return [random.random(), random.gauss(0, 1), np.random.rand(), np.random.randn(), float(torch.rand(()))]  # noqa: NPY002


def test_a_restored_state_draws_the_same_after_a_trip_through_a_weights_only_file() -> None:
    with seeded(3):
        _draw()  # leaves a second gaussian waiting in Python's and NumPy's generators
        file = io.BytesIO()
        torch.save(generator_states(), file)
        first = [_draw() for _ in range(3)]
        file.seek(0)
        restore_generators(torch.load(file, weights_only=True))
        assert [_draw() for _ in range(3)] == first


def test_inside_is_seeded_whatever_was_drawn_before() -> None:
    with seeded(5):
        first = _draw()
    _draw()
    with seeded(5):
        assert _draw() == first
    with seeded(6):
        assert _draw() != first


def test_outside_nothing_moved() -> None:
    states = generator_states()
    with seeded(1):
        _draw()
    after = generator_states()
    assert all(torch.equal(states[name], after[name]) for name in states)
