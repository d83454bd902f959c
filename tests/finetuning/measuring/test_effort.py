"""Effort in views, draws of labelled groups, means, and whether a loss has levelled off."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.engine import Run
from ssl_domains.errors import UsageError
from ssl_domains.finetuning.measuring.draws import compared_draws
from ssl_domains.finetuning.measuring.effort import Effort, equal_effort_steps, pretraining_effort
from ssl_domains.finetuning.measuring.levelling import levelling
from ssl_domains.finetuning.measuring.means import mean_of
from ssl_domains.probes import label_draws, read_labels


def test_effort_counts_views_of_all_steps(world: Any) -> None:
    config = world.run.config
    assert (world.run.step, config.train.batch_size, config.views.n) == (6, 12, 2)
    assert pretraining_effort(world.run) == Effort(6 * 12 * 2)
    assert equal_effort_steps(10, 8, Effort(144)) == 10 + 18
    assert equal_effort_steps(10, 7, Effort(144)) == 10 + 21  # 20.6 steps are rounded up
    assert equal_effort_steps(10, 7, Effort(0)) == 10


def run_of(folder: Path, init: str, step: int, batch: int, views: int) -> Run:
    folder.mkdir()
    (folder / "config.toml").write_text(
        f'[encoder]\ninit = "{init}"\n[train]\nbatch_size = {batch}\n[views]\nn = {views}\n'
    )
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / f"step-{step:08d}.pt").write_bytes(b"")
    return Run.open(folder)


def test_effort_of_the_runs_before_counts_and_unknown_effort_is_said(tmp_path: Path) -> None:
    first = run_of(tmp_path / "first", "pretrained", 100, 4, 2)
    second = run_of(tmp_path / "second", str(first.folder), 10, 5, 3)
    effort = pretraining_effort(second)
    assert effort.views == 100 * 4 * 2 + 10 * 5 * 3
    assert "timm's pretrained weights" in effort.note
    assert "not counted" in pretraining_effort(run_of(tmp_path / "third", "weights.safetensors", 1, 2, 1)).note
    assert pretraining_effort(run_of(tmp_path / "fourth", "random", 1, 2, 1)).note == ""


def test_draws_are_those_of_the_probe_and_whole_fractions_have_one(world: Any) -> None:
    table = world.table
    labels, groups = read_labels(table.column("kind")), table.codes("patient")
    train = (table.frame["split"] == "train").to_numpy()
    found = compared_draws(labels, groups, train, [0.5, 1.0], 3)
    assert [(one.labels.asked, one.number, one.whole) for one in found] == [
        (0.5, 0, False), (0.5, 1, False), (0.5, 2, False), (1.0, 0, True),
    ]  # fmt: skip
    for one in found:
        (same,) = label_draws(labels, groups, train, [one.labels.asked], one.number)
        np.testing.assert_array_equal(one.labels.rows, same.rows)
        inner = one.inner(labels, groups)
        assert not (inner & ~one.labels.rows).any()
        held = np.unique(groups[one.labels.rows & ~inner])
        assert not np.isin(held, groups[inner]).any()  # whole groups are held out
        assert len(held) == round(0.25 * one.labels.groups + 1e-9)
    # Two fractions that draw the same groups have trainings of one name.
    both = compared_draws(labels, groups, train, [0.01, 0.1], 1)
    assert both[0].name == both[1].name


@pytest.mark.parametrize(("fractions", "draws"), [([0.5], 0), ([0.5, 0.5], 1), ([1.5], 1)])
def test_wrong_fractions_and_draws(world: Any, fractions: list[float], draws: int) -> None:
    labels = read_labels(world.table.column("kind"))
    train = np.ones(len(world.table), dtype=bool)
    with pytest.raises(UsageError):
        compared_draws(labels, world.table.codes("patient"), train, fractions, draws)


def lines_of(losses: list[float], every: int) -> list[dict[str, Any]]:
    """Measurements of a training with these losses a step, as the engine writes them."""
    out, since = [], 0
    for step in range(1, len(losses) + 1):
        if step % every == 0 or step in (1, len(losses)):
            out.append({"step": step, "loss": sum(losses[since:step]) / (step - since)})
            since = step
    return out


@pytest.mark.parametrize(("steps", "every"), [(100, 4), (100, 1), (250, 10), (37, 1)])
def test_fifths_are_means_over_steps(steps: int, every: int) -> None:
    losses = [math.exp(-step / 40) + 0.1 for step in range(steps)]
    found = levelling(lines_of(losses, every), steps)
    assert found is not None
    fifth = steps // 5
    if every == 1 and steps % 5 == 0:
        assert found.first == pytest.approx(np.mean(losses[:fifth]))
        assert found.before == pytest.approx(np.mean(losses[3 * fifth : 4 * fifth]))
        assert found.last == pytest.approx(np.mean(losses[4 * fifth :]))
    else:
        assert found.last == pytest.approx(np.mean(losses[4 * fifth :]), rel=0.05)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 100.0])
def test_a_straight_fall_has_not_levelled_and_a_settled_loss_has(scale: float) -> None:
    straight = [scale * (1 - step / 100) for step in range(100)]
    settled = [scale * math.exp(-step / 10) for step in range(100)]
    flat = [scale] * 100
    for losses, levelled in ((straight, False), (settled, True), (flat, True)):
        found = levelling(lines_of(losses, 4), 100)
        assert found is not None
        assert found.levelled is levelled


def test_a_few_steps_have_never_levelled() -> None:
    found = levelling(lines_of([1.0, 0.1, 0.1, 0.1], 1), 4)
    assert found is not None
    assert not found.levelled
    assert levelling([], 4) is None


def test_means_over_draws() -> None:
    values = [0.61, 0.7, 0.55]
    found = mean_of(values)
    assert found.value == pytest.approx(np.mean(values))
    assert found.deviation == pytest.approx(np.std(values, ddof=1))
    assert mean_of([0.5]).deviation is None
    assert mean_of([]).value is None
    assert mean_of([0.5, None]).value is None
