"""Sorting by length: the same units in the same stretch, in batches that need less padding."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.pairs import BatchSampler, Composition, same

ROWS, BATCH = 1300, 8
RNG = np.random.default_rng(0)
TABLE: dict[str, Any] = {
    "g": RNG.integers(0, 300, ROWS).tolist(),
    "c": RNG.integers(0, 5, ROWS).tolist(),
    "length": [None if i % 97 == 0 else float(x) for i, x in enumerate(RNG.lognormal(5, 1, ROWS))],
}
LENGTH = np.array([np.inf if x is None else x for x in TABLE["length"]])


def plan_of(kind: Any, bucket: str | None, epoch: int = 0, batch: int = BATCH, **options: Any) -> Any:
    """int64 ``[steps, S, batch]``."""
    composition = Composition(kind, bucket=bucket, **options)
    sampler = BatchSampler(same("g").bind(TABLE), composition, batch, seed=5, table=TABLE)
    plan = sampler.plan(epoch)
    return plan.reshape(len(plan), composition.seats, batch)


def units(plan: Any, size: int) -> list[Counter[Any]]:
    """The units of each stretch of fifty batches: their samples, seat by seat."""
    parts = [plan[start : start + 50] for start in range(0, len(plan), 50)]
    cut = [p.reshape(len(p), p.shape[1], -1, size).transpose(0, 2, 1, 3).reshape(-1, p.shape[1] * size) for p in parts]
    return [Counter(map(tuple, part.tolist())) for part in cut]


def padding(plan: Any) -> float:
    """Padded places a batch, with every sample brought to the longest of its batch."""
    lengths = np.where(np.isfinite(LENGTH), LENGTH, 0)[plan.reshape(len(plan), -1)]
    return float((lengths.max(1, keepdims=True) - lengths).mean())


KINDS = [
    ("random", 1, {}),
    ("partner", 1, {"negatives": "same('c')", "n_negatives": 2}),
    ("groups", 4, {"per_group": 4}),
    ("draw", 2, {}),
]


@pytest.mark.parametrize(("kind", "size", "options"), KINDS)
def test_a_stretch_has_the_same_units_and_less_padding(kind: Any, size: int, options: Any) -> None:
    for epoch in (0, 2):
        plain, sorted_ = (plan_of(kind, bucket, epoch, **options) for bucket in (None, "length"))
        assert units(plain, size) == units(sorted_, size)
        assert padding(sorted_) < 0.7 * padding(plain)


def test_batches_of_a_stretch_are_neighbours_in_length_but_come_in_random_order() -> None:
    plan = plan_of("random", "length")
    for start in range(0, len(plan), 50):
        lengths = LENGTH[plan[start : start + 50, 0]]
        by_size = lengths[np.argsort(lengths[:, 0], kind="stable")]
        assert (np.sort(lengths, axis=None) == by_size.ravel()).all()  # cut out of one sorted list
        order = np.argsort(lengths[:, 0])
        assert abs(np.corrcoef(order, np.arange(len(order)))[0, 1]) < 0.5
    first, second = (plan_of("random", "length", epoch)[:, 0].tolist() for epoch in (0, 1))
    assert first != second


@pytest.mark.parametrize("world_size", [2, 4])
def test_processes_and_resumed_runs_get_the_same_plan(world_size: int) -> None:
    composition = Composition("partner", bucket="length")
    bound = same("g").bind(TABLE)
    whole = BatchSampler(bound, composition, BATCH, 1, table=TABLE)
    ranks = [BatchSampler(bound, composition, BATCH, 1, r, world_size, table=TABLE) for r in range(world_size)]
    for sampler in ranks:
        sampler.set_position(1, 100)
    for asks, batch in zip(zip(*ranks, strict=True), whole.plan(1)[100:], strict=True):
        assert np.array_equal(np.concatenate([ask.seats for ask in asks], axis=1), batch.reshape(2, BATCH))


def test_samples_without_a_length_come_last() -> None:
    plan = plan_of("random", "length", batch=1300)
    assert np.isinf(LENGTH[plan[0, 0, -14:]]).all()
    assert np.isfinite(LENGTH[plan[0, 0, :-14]]).all()


@pytest.mark.parametrize(("column", "message"), [("lengths", "no column 'lengths'"), ("name", "not numbers")])
def test_a_column_that_is_no_length_is_refused(column: str, message: str) -> None:
    table = {**TABLE, "name": [str(x) for x in TABLE["g"]]}
    with pytest.raises(UsageError, match=message):
        BatchSampler(same("g").bind(table), Composition("random", bucket=column), BATCH, table=table)
