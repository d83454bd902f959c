"""The learning rate against its closed form."""

from __future__ import annotations

import math

import pytest

from ssl_domains.engine.step.schedule import Schedule


def test_warmup_rises_linearly_and_the_cosine_starts_at_one() -> None:
    schedule = Schedule(total_steps=100, warmup_steps=4)
    assert [schedule.factor(step) for step in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


@pytest.mark.parametrize(("total", "warmup"), [(100, 10), (7, 0), (1, 0), (2, 1)])
def test_every_step_equals_the_closed_form(total: int, warmup: int) -> None:
    schedule = Schedule(total, warmup)
    for step in range(total):
        if step < warmup:
            expected = (step + 1) / (warmup + 1)
        else:
            expected = (1 + math.cos(math.pi * (step - warmup) / (total - warmup))) / 2
        assert schedule.factor(step) == pytest.approx(expected)
        assert schedule.factor(step) > 0
    assert schedule.factor(total) == pytest.approx(0 if total > warmup else 1)


def test_half_way_is_half() -> None:
    assert Schedule(20, 0).factor(10) == pytest.approx(0.5)


def test_warmup_in_epochs_never_takes_more_than_half() -> None:
    assert Schedule.of(1000, 50, 2.0) == Schedule(1000, 100)
    assert Schedule.of(1000, 50, 0.5).warmup_steps == 25
    assert Schedule.of(60, 50, 1.0).warmup_steps == 30
    assert Schedule.of(0, 50, 1.0).warmup_steps == 0
