"""The estimate of a training from its first steps, and how often a run is measured."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import small_run
from ssl_domains.engine.loop import estimate
from ssl_domains.engine.loop.estimate import StepTimer
from ssl_domains.engine.loop.monitor import steps_between_measurements
from ssl_domains.engine.record.events import Estimated, Event


def estimates(total: int, start: int, seconds: list[float], monkeypatch: pytest.MonkeyPatch) -> list[Estimated | None]:
    """What the timer says after each step; the clock shows the sum of the seconds of all steps done."""
    now = [0.0]
    monkeypatch.setattr(estimate, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    timer, out = StepTimer(total, start, torch.device("cpu")), []
    for step, spent in enumerate(seconds, start=start + 1):
        now[0] += spent
        out.append(timer.after(step))
    return out


@pytest.mark.parametrize("start", [0, 37])
def test_the_steps_after_the_first_are_timed(start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = estimates(start + 105, start, [9.0, 1, 2, 3, 4, 50], monkeypatch)
    assert [one is None for one in found] == [True, True, True, True, False, True]
    last = found[4]
    assert last is not None
    assert (last.steps, last.seconds_per_step, last.seconds) == (100, 2.5, 250.0)
    assert last.peak_memory_bytes > 10**7


def test_slow_steps_are_estimated_once_and_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    found = estimates(102, 0, [9.0, 12, 30, 3, 4, 50], monkeypatch)
    assert [one is None for one in found] == [True, False, True, True, True, True]
    first = found[1]
    assert first is not None
    assert (first.steps, first.seconds_per_step, first.seconds) == (100, 12.0, 1200.0)


def test_a_run_of_few_steps_has_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    assert estimates(5, 0, [1.0] * 5, monkeypatch) == [None] * 5


def test_every_length_of_run_is_measured_20_to_50_times() -> None:
    for total in [*range(1, 3000), 10**5, 10**6 + 1]:
        every = steps_between_measurements(total)
        count = len({1, total, *range(every, total + 1, every)})
        assert min(20, total) <= count <= 50, (total, count)


def test_a_short_run_has_a_curve_and_an_estimate_and_the_weights_of_a_run_measured_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tuple(one for one in small_run.SETTINGS if not one.startswith("health.every_steps"))
    monkeypatch.setattr(small_run, "SETTINGS", settings)
    events: list[Event] = []
    run = small_run.run(tmp_path / "data", tmp_path / "auto", ("train.max_steps=9",), on_event=events.append)
    lines = (run.folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, 10))
    assert [event.steps for event in events if isinstance(event, Estimated)] == [4]
    rare = small_run.run(tmp_path / "data", tmp_path / "rare", ("train.max_steps=9", "health.every_steps=9"))
    weights, others = small_run.weights(run), small_run.weights(rare)
    assert all(torch.equal(weights[name], others[name]) for name in weights)
