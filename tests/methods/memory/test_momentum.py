"""Momentum copy, queue and prototypes: the parts that several methods share."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ssl_domains.errors import UsageError
from ssl_domains.methods import TrainingSet
from ssl_domains.methods.memory.key_queue import KeyQueue
from ssl_domains.methods.memory.momentum import follow, momentum_copy, momentum_to_one
from ssl_domains.methods.memory.prototypes import Prototypes, number_of_prototypes, steps_of_freeze
from ssl_domains.pairs import Rows


def test_the_copy_follows_and_keeps_its_own_statistics() -> None:
    fast = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    slow = momentum_copy(fast)
    assert not any(parameter.requires_grad for parameter in slow.parameters())
    before = [parameter.clone() for parameter in slow.parameters()]
    with torch.no_grad():
        for parameter in fast.parameters():
            parameter.add_(1.0)
        fast[1].running_mean.fill_(7.0)  # type: ignore[operator, union-attr]
    follow((slow,), (fast,), 0.9)
    for old, new in zip(before, slow.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.1)
    assert not torch.equal(slow[1].running_mean, fast[1].running_mean)  # type: ignore[index]


def test_the_momentum_rises_to_one_by_a_cosine() -> None:
    assert momentum_to_one(0.9, 0.0) == pytest.approx(0.9)
    assert momentum_to_one(0.9, 0.25) == pytest.approx(1 - 0.1 * (1 + math.cos(math.pi / 4)) / 2)
    assert momentum_to_one(0.9, 1.0) == 1
    assert momentum_to_one(1.0, 0.3) == 1


def rows(samples: list[int], angle: float) -> Rows:
    return Rows.of(torch.tensor(samples), views=1, emitted={"angle": torch.full((len(samples),), angle)})


def test_new_keys_take_the_places_of_the_oldest() -> None:
    queue = KeyQueue(5, 2, ("angle", "depth"))
    assert queue.rows.sample.tolist() == [-1] * 5
    queue.push(torch.full((3, 2), 1.0), rows([0, 1, 2], 10.0))
    queue.push(torch.full((4, 2), 2.0), rows([3, 4, 5, 6], 20.0))
    assert queue.rows.sample.tolist() == [5, 6, 2, 3, 4]
    assert queue.keys[:, 0].tolist() == [2, 2, 1, 2, 2]
    assert queue.rows.emitted["angle"].tolist() == [20, 20, 10, 20, 20]
    assert queue.rows.emitted["depth"].isnan().all()
    assert queue.rows.view.tolist() == [-1] * 5
    queue.push(torch.arange(14.0).reshape(7, 2), rows(list(range(7)), 0.0))  # more keys than places
    assert sorted(queue.rows.sample.tolist()) == [2, 3, 4, 5, 6]
    stored = {int(sample): float(key[0]) for sample, key in zip(queue.rows.sample, queue.keys, strict=True)}
    assert stored == {sample: 2.0 * sample for sample in (2, 3, 4, 5, 6)}


def test_a_queue_comes_back_from_its_state() -> None:
    queue, again = KeyQueue(4, 2, ("angle",)), KeyQueue(4, 2, ("angle",))
    queue.push(torch.rand(3, 2), rows([2, 0, 1], 5.0))
    again.load_state_dict(queue.state_dict())
    for one in (queue, again):
        one.push(torch.ones(2, 2), rows([7, 8], 6.0))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in queue.state_dict().items())


def test_prototypes_are_frozen_for_the_first_steps() -> None:
    prototypes = Prototypes(3, 4, frozen_steps=1)
    optimiser = torch.optim.AdamW(prototypes.parameters(), weight_decay=0.1)
    first = prototypes().detach()
    torch.testing.assert_close(first.norm(dim=1), torch.ones(3))
    for step in range(2):
        optimiser.zero_grad()
        (prototypes() * torch.arange(4.0)).sum().backward()
        optimiser.step()
        prototypes.count_step()
        assert torch.allclose(prototypes().detach(), first, atol=1e-6) == (step == 0)


def test_the_number_of_prototypes_fits_the_table() -> None:
    table = TrainingSet(samples=200, batch_size=32)
    assert number_of_prototypes(None, 3000, table) == 20
    assert number_of_prototypes(None, 8, table) == 8
    assert number_of_prototypes(200, 3000, table) == 200
    with pytest.raises(UsageError, match="201 prototypes are more than the 200 training samples"):
        number_of_prototypes(201, 3000, table)
    assert steps_of_freeze(None, table) == 6
    assert steps_of_freeze(0, table) == 0
