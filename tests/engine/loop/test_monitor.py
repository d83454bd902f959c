"""The monitor: means over the steps between measurements, and a warning that is not repeated at every one."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from ssl_domains.engine.loop.monitor import Monitor
from ssl_domains.engine.loop.online_knn import OnlineLabels
from ssl_domains.engine.record.events import Event, Measured, Stepped, Warned
from ssl_domains.engine.step.feed import Batch
from ssl_domains.engine.step.step import StepResult
from ssl_domains.errors import DataError
from ssl_domains.inputs import Input
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings
from ssl_domains.pairs import Rows

SAMPLES, WIDTH = 32, 16


class Kept:
    """A tracker that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    def log(self, values: Any) -> None:
        self.lines.append(values)

    def close(self) -> None:
        pass


def _monitor(events: list[Event], total: int = 100, labels: OnlineLabels | None = None) -> tuple[Monitor, Kept]:
    kept = Kept()
    monitor = Monitor(
        every=4,
        total_steps=total,
        steps_per_epoch=5,
        names=("same('a')", "same('b')"),
        labels=labels,
        neighbours=3,
        temperature=lambda: 0.25,
        trackers=[kept],
        emit=events.append,
    )
    return monitor, kept


def _step(monitor: Monitor, step: int, loss: float = 1.0, collapsed: bool = False) -> None:
    draws = torch.Generator().manual_seed(step)
    z = F.normalize(torch.randn(2 * SAMPLES, WIDTH, generator=draws) * (1e-4 if collapsed else 1) + collapsed, dim=1)
    samples = torch.arange(SAMPLES)
    images = torch.zeros(SAMPLES, 1, 2, 2)
    monitor.after(
        step,
        Batch(Input(images), samples, {}, waited=0.0),
        StepResult(
            Embeddings(z, z[:SAMPLES]),
            LossOutput(
                torch.tensor(loss), torch.tensor([loss, 2 * loss]), torch.tensor([0.5, 0.0]), torch.tensor([9, 9])
            ),
            samples,
            rows=Rows.of(samples, views=2),
        ),
        lr=0.1,
    )


def test_losses_are_means_since_the_measurement_before() -> None:
    events: list[Event] = []
    monitor, kept = _monitor(events, total=9)
    for step in range(1, 10):
        _step(monitor, step, loss=float(step))
    assert [line["step"] for line in kept.lines] == [1, 4, 8, 9]
    assert [line["loss"] for line in kept.lines] == [1, 3, 6.5, 9]
    assert kept.lines[1]["per_relation"] == {"same('a')": 3, "same('b')": 6}
    assert kept.lines[1]["no_cross_positive"] == {"same('a')": 0.5, "same('b')": 0}
    assert kept.lines[2]["epoch"] == pytest.approx(8 / 5)
    assert (kept.lines[2]["temperature"], kept.lines[2]["lr"]) == (0.25, 0.1)
    assert [event.values for event in events if isinstance(event, Measured)] == kept.lines


def test_counts_are_means_and_a_loss_of_all_relations_together_needs_none_of_each() -> None:
    monitor, kept = _monitor([], total=9)
    z = F.normalize(torch.randn(2 * SAMPLES, WIDTH, generator=torch.Generator().manual_seed(0)), dim=1)
    samples = torch.arange(SAMPLES)
    for step in range(1, 5):
        counts = {"triplets": torch.tensor(10 * step), "active": torch.tensor(step)}
        nothing = torch.zeros(0)
        loss = LossOutput(torch.tensor(1.0), nothing, torch.tensor([0.5, 0.25]), nothing.long(), counts)
        batch = Batch(Input(torch.zeros(SAMPLES, 1, 2, 2)), samples, {}, waited=0.0)
        rows = Rows.of(samples, views=2)
        monitor.after(step, batch, StepResult(Embeddings(z, z[:SAMPLES]), loss, samples, rows), lr=0.1)
    assert [line["counts"] for line in kept.lines] == [{"triplets": 10, "active": 1}, {"triplets": 30, "active": 3}]
    assert kept.lines[1]["per_relation"] == {}
    assert kept.lines[1]["no_cross_positive"] == {"same('a')": 0.5, "same('b')": 0.25}
    assert kept.lines[1]["std"] > 0


def test_every_step_is_told_with_the_last_measured_loss() -> None:
    events: list[Event] = []
    monitor, _ = _monitor(events)
    for step in range(1, 6):
        _step(monitor, step, loss=float(step))
    told = [event for event in events if isinstance(event, Stepped)]
    assert [event.loss for event in told] == [1, 1, 1, 3, 3]
    assert [event.epoch for event in told] == [0, 0, 0, 0, 0]
    assert all(event.images_per_s > 0 and 0 <= event.data_wait <= 1 for event in told)


def test_a_collapse_is_warned_of_once_and_again_after_a_recovery() -> None:
    events: list[Event] = []
    monitor, kept = _monitor(events)
    for step in range(1, 21):
        _step(monitor, step, collapsed=step in (8, 12, 20))
    warned = [event.text for event in events if isinstance(event, Warned)]
    assert [text.partition(":")[0] for text in warned] == ["step 8", "step 20"]
    assert "collapsing to a point" in warned[0]
    assert [line["step"] for line in kept.lines if "warning" in line] == [8, 12, 20]


def test_a_method_trained_on_labels_is_not_warned_of_a_collapse() -> None:
    events: list[Event] = []
    monitor, kept = _monitor(events)
    monitor.collapse = False
    for step in range(1, 21):
        _step(monitor, step, collapsed=True)
    assert not [event for event in events if isinstance(event, Warned)]
    assert not [line for line in kept.lines if "warning" in line]


def test_a_loss_that_is_not_finite_ends_it_at_the_measurement_or_before_a_checkpoint() -> None:
    monitor, _ = _monitor([])
    _step(monitor, 1)
    _step(monitor, 2, loss=float("nan"))
    with pytest.raises(DataError, match="by step 3"):
        monitor.require_finite(3)
    _step(monitor, 3)
    with pytest.raises(DataError, match="by step 4"):
        _step(monitor, 4)


def test_knn_looks_among_earlier_batches_for_other_samples() -> None:
    monitor, kept = _monitor([], labels=OnlineLabels(torch.arange(SAMPLES) % 2, torch.arange(SAMPLES), 2))
    for step in range(1, 5):
        _step(monitor, step)
    assert math.isnan(kept.lines[0]["knn"])
    assert 0 < kept.lines[1]["knn"] < 1
    assert kept.lines[1]["knn_bank"] == 3 * SAMPLES
    assert [line["knn_classes"] for line in kept.lines] == [0, 2]


def test_knn_leaves_out_the_own_group() -> None:
    """The features of both steps are the same: the row of the sample itself in the bank would always be right."""
    monitor, kept = _monitor([], labels=OnlineLabels(torch.arange(SAMPLES) % 2, torch.arange(SAMPLES), 2))
    monitor.neighbours = 1
    for _ in range(2):
        _step(monitor, 1)
    assert 0 < kept.lines[1]["knn"] < 1
