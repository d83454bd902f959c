"""A run that was killed and resumed ends in the same weights, bit for bit, as the one left alone."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import small_run
from ssl_domains.engine import Run
from ssl_domains.errors import DataError, UsageError

# Drawn anew in every session, and printed, so that a failure can be repeated with SSL_DOMAINS_KILL_SEED.
KILL_SEED = int(os.environ.get("SSL_DOMAINS_KILL_SEED", random.SystemRandom().randrange(10**6)))


def _same(first: Run, second: Run) -> None:
    one, other = small_run.weights(first), small_run.weights(second)
    assert one.keys() == other.keys()
    differing = [name for name in one if not torch.equal(one[name], other[name])]
    assert differing == []


@pytest.mark.parametrize(("when", "workers"), [("step", 0), ("step", 2), ("write", 0), ("rename", 2)])
def test_killed_and_resumed_equals_left_alone(
    when: str,
    workers: int,
    small_data: Path,
    left_alone: Run,
    launcher: Any,
    train: Callable[..., Any],
    tmp_path: Path,
) -> None:
    draws = random.Random(f"{KILL_SEED} {when} {workers}")
    # A checkpoint is written after every third step, once the step itself has been told of.
    step = draws.randrange(1, small_run.TOTAL_STEPS + 1) if when == "step" else 3 * draws.randrange(1, 6)
    print(f"SSL_DOMAINS_KILL_SEED={KILL_SEED}: killed at {when}:{step} with {workers} workers")
    out = tmp_path / "run"
    launcher.start(data=str(small_data), out=str(out), sets=[f"data.workers={workers}"], die=f"{when}:{step}")
    assert launcher.wait() == -signal.SIGKILL
    assert Run.open(out).step == (step - 1) // 3 * 3
    resumed = train(out, (f"data.workers={workers}",), resume=True)
    _same(resumed, left_alone)
    assert [values["step"] for values in resumed.metrics()] == [1, 4, 8, 12, 16, 20]
    assert [values["loss"] for values in resumed.metrics()] == [values["loss"] for values in left_alone.metrics()]
    assert not list(resumed.checkpoints.folder.glob(".*"))


def test_ctrl_c_saves_the_step_and_resume_goes_on(
    small_data: Path,
    left_alone: Run,
    launcher: Any,
    train: Callable[..., Any],
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    gates = [tmp_path / "there", tmp_path / "back"]
    for gate in gates:
        os.mkfifo(gate)
    request = {"data": str(small_data), "out": str(out), "sets": ["data.workers=2"], "wait_at": 7}
    group = launcher.start(**request, gates=[str(gate) for gate in gates])
    assert gates[0].read_text() == "waiting"
    os.killpg(group, signal.SIGINT)  # the whole group, as a terminal does: the workers get it too
    gates[1].write_text("go on")
    assert launcher.wait() == 130
    assert Run.open(out).step == 7
    resumed = train(out, resume=True)
    _same(resumed, left_alone)
    assert [values["loss"] for values in resumed.metrics()] == [values["loss"] for values in left_alone.metrics()]


def test_resumed_from_every_checkpoint_of_an_epoch(left_alone: Run, train: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(out, ("train.keep=99",))
    checkpoints = Run(out).checkpoints.paths()
    assert len(checkpoints) == 8  # 0, 3, …, 18, 20
    for index in (0, 2, 6):
        again = tmp_path / f"again{index}"
        shutil.copytree(out, again)
        for path in Run(again).checkpoints.paths()[index + 1 :]:
            path.unlink()
        _same(train(again, resume=True), left_alone)


@pytest.mark.parametrize("optimiser", ["sgd", "lars"])
def test_other_optimisers_go_on_where_they_were(optimiser: str, train: Callable[..., Any], tmp_path: Path) -> None:
    sets = (f"train.optimizer={optimiser}", "train.max_steps=7", "train.keep=9")
    alone = train(tmp_path / "alone", sets)
    out = tmp_path / "run"
    shutil.copytree(alone.folder, out)
    for path in Run(out).checkpoints.paths()[2:]:
        path.unlink()
    assert Run(out).step == 3
    _same(train(out, sets, resume=True), alone)


def test_resuming_a_complete_run_changes_nothing(left_alone: Run, train: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(left_alone.folder, out)
    _same(train(out, resume=True), left_alone)
    assert Run.open(out).metrics() == left_alone.metrics()


def test_nothing_to_resume_is_a_usage_error(train: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to resume") as caught:
        train(tmp_path / "new", resume=True)
    assert "--resume" in caught.value.hint
    assert not (tmp_path / "new").exists()


def test_a_run_is_not_overwritten(left_alone: Run, train: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(left_alone.folder, out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="already holds a run") as caught:
        train(out)
    assert "--resume" in caught.value.hint
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_folder_without_a_checkpoint_is_started_anew(
    left_alone: Run, train: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    shutil.copytree(left_alone.folder, out, ignore=shutil.ignore_patterns("checkpoints"))
    _same(train(out), left_alone)
    assert [values["step"] for values in Run.open(out).metrics()] == [1, 4, 8, 12, 16, 20]


def test_another_config_is_refused_by_name(left_alone: Run, train: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(left_alone.folder, out)
    with pytest.raises(UsageError, match=r"method\.temperature = 0\.1, not 0\.5"):
        train(out, ("method.temperature=0.5",), resume=True)
    with pytest.raises(UsageError, match=r"pairs\.rule"):
        train(out, rule="same('site')", resume=True)


def test_the_same_rule_in_other_words_goes_on(left_alone: Run, train: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(left_alone.folder, out)
    assert train(out, rule="1.0 * same( 'patient' )", resume=True).config == left_alone.config


def test_other_samples_are_refused(
    small_data: Path, left_alone: Run, train: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    shutil.copytree(left_alone.folder, out)
    fewer = small_run.make_table(small_data).take(range(32))
    with pytest.raises(DataError, match="not those of the run"):
        train(out, table=fewer, resume=True)


def test_a_truncated_checkpoint_is_a_data_error_and_the_older_one_works(
    left_alone: Run, train: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    shutil.copytree(left_alone.folder, out)
    older, newest = Run(out).checkpoints.paths()
    newest.write_bytes(newest.read_bytes()[:1000])
    with pytest.raises(DataError, match=newest.name) as caught:
        train(out, resume=True)
    assert older.name in caught.value.hint
    newest.unlink()
    _same(train(out, resume=True), left_alone)
