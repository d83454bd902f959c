"""Whole runs in two processes: the same as in one, resumed by any number, and ended together."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import pytest
import torch
from torch import nn

import small_run
from ssl_domains.encoders import Encoder
from ssl_domains.engine import Rehearsal, Run
from ssl_domains.engine.loop import training as training_module
from ssl_domains.engine.processes.distributed import World, processes
from ssl_domains.engine.record.events import Event, Warned
from ssl_domains.errors import DataError, ResourceError, SslDomainsError, UsageError
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition
from ssl_domains.views import InputDataset

SHORT = ("train.max_steps=7", "train.keep=99")
Two = Callable[..., list[Any]]


class PlainSimCLR(SimCLR):
    """Neither BatchNorm nor dropout, so that nothing depends on how many processes there are."""

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        for _, module in list(encoder.named_modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, nn.BatchNorm2d):
                    setattr(module, name, nn.GroupNorm(4, child.num_features))
        return cls(encoder, nn.Linear(encoder.num_features, 8), options["temperature"], True)


def run(
    data: str, out: str, sets: tuple[str, ...] = SHORT, plain: bool = True, kind: str = "auto", **options: Any
) -> dict[str, Any]:
    """A small run in this process: weights, measurements and warnings, or the error that ended it."""
    events: list[Event] = []
    if plain:
        options["method"] = PlainSimCLR
    try:
        composition = Composition(kind)
        done = small_run.run(Path(data), Path(out), sets, composition=composition, on_event=events.append, **options)
    except (SslDomainsError, KeyboardInterrupt) as error:
        return {"error": type(error).__name__, "message": str(error), "told": len(events)}
    told = [event.text for event in events if isinstance(event, Warned)]
    return {"weights": small_run.weights(done), "metrics": done.metrics(), "warnings": told, "told": len(events)}


@pytest.fixture
def data(left_alone: Run, small_data: Path) -> str:
    """The small data, decoded."""
    return str(small_data)


def _close(found: dict[str, Any], expected: dict[str, Any], tolerance: float = 2e-4) -> None:
    assert found["weights"].keys() == expected["weights"].keys()
    for name, value in expected["weights"].items():
        torch.testing.assert_close(found["weights"][name], value, rtol=tolerance, atol=tolerance, msg=name)


def _equal(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found["weights"].keys() == expected["weights"].keys()
    differing = [name for name, value in expected["weights"].items() if not torch.equal(found["weights"][name], value)]
    assert differing == []


def _keep_until(source: Path, out: Path, step: int) -> None:
    shutil.copytree(source, out)
    for path in Run(out).checkpoints.paths():
        if path.name > f"step-{step:08d}.pt":
            path.unlink()
    assert Run(out).step == step


@pytest.mark.parametrize(
    ("sets", "kind"),
    [((), "auto"), (("train.micro_batch_size=3",), "auto"), ((), "partner"), (("data.workers=1",), "draw")],
)
def test_two_processes_train_what_one_trains(
    sets: tuple[str, ...], kind: str, data: str, tmp_path: Path, two_processes: Two
) -> None:
    one = run(data, str(tmp_path / "one"), SHORT, kind=kind)
    both = two_processes(run, data=data, out=str(tmp_path / "two"), sets=(*SHORT, *sets), kind=kind)
    _equal(both[0], both[1])
    _close(both[0], one)
    assert both[0]["told"]
    assert not both[1]["told"]  # only the first speaks
    assert Run.open(tmp_path / "two").environment["processes"] == 2
    for found, expected in zip(both[0]["metrics"], one["metrics"], strict=True):
        # The first k-NN has nothing to look among yet.
        names = ("loss", "std", "effective_rank", "alignment", "uniformity", "temperature")
        for name in (*names, "knn", "knn_bank", "knn_classes"):
            if expected[name] is not None:
                assert found[name] == pytest.approx(expected[name], rel=1e-3), name
        for name in ("per_relation", "no_cross_positive"):
            assert found[name] == pytest.approx(expected[name], rel=1e-3)


@pytest.mark.parametrize("step", [0, 3, 6])
def test_any_number_of_processes_goes_on_where_another_stopped(
    step: int, data: str, tmp_path: Path, two_processes: Two
) -> None:
    one = run(data, str(tmp_path / "one"))
    two_processes(run, data=data, out=str(tmp_path / "two"))
    _keep_until(tmp_path / "two", tmp_path / "on-by-one", step)
    _close(run(data, str(tmp_path / "on-by-one"), resume=True), one)
    _keep_until(tmp_path / "one", tmp_path / "on-by-two", step)
    _close(two_processes(run, data=data, out=str(tmp_path / "on-by-two"), resume=True)[0], one)


def test_two_resume_two_bit_for_bit(data: str, tmp_path: Path, two_processes: Two) -> None:
    # With dropout, whose generators differ between processes, and BatchNorm, which has the whole batch's statistics.
    alone = two_processes(run, data=data, out=str(tmp_path / "alone"), plain=False)
    _keep_until(tmp_path / "alone", tmp_path / "again", 3)
    again = two_processes(run, data=data, out=str(tmp_path / "again"), plain=False, resume=True)
    _equal(again[0], alone[0])
    assert alone[0]["warnings"] == []


def test_dropout_is_not_the_same_in_both(data: str, two_processes: Two, tmp_path: Path) -> None:
    first, second = two_processes(generator, data=data, out=str(tmp_path / "run"))
    assert not torch.equal(first, second)


def generator(data: str, out: str) -> torch.Tensor:
    """Where this process's generator starts."""
    small_run.run(Path(data), Path(out), ("train.max_steps=1",))
    states = Run.open(out).checkpoints.load()
    with processes() as world:
        return [states["generators"], *states["other_generators"]][world.rank]["torch"]


def test_what_is_wrong_for_all_is_told_alike(data: str, tmp_path: Path, two_processes: Two) -> None:
    out = str(tmp_path / "run")
    for sets, error in (
        (("train.batch_size=7",), "does not divide among 2 processes"),
        (("health.label=sight",), "no column 'sight'"),
    ):
        both = two_processes(run, data=data, out=out, sets=sets)
        assert both[0] == both[1]
        assert both[0]["error"] == "UsageError"
        assert error in both[0]["message"]
    # Only the first looks at the pairs.
    both = two_processes(run, data=data, out=out, rule="same('split')")
    assert both[0] == both[1]
    assert both[0]["error"] == "DataError"
    assert not Path(out).exists()


def fail_at(data: str, out: str, rank: int, where: str) -> dict[str, Any]:
    """`run` in which one process can't go on."""
    with processes() as world:
        here = world.rank == rank
    patch = pytest.MonkeyPatch()
    read, save = InputDataset.__getitems__, training_module.Checkpoints.save

    def broken_read(self: Any, indices: Any) -> Any:
        if len(reads) == 2:
            raise DataError("a sample can't be read", "scan again")
        reads.append(1)
        return read(self, indices)

    def full_disk(self: Any, step: int, state: Any) -> Any:
        if step == 6:
            raise OSError(errno.ENOSPC, "No space left on device")
        return save(self, step, state)

    reads: list[int] = []
    with patch.context() as patched:
        if here and where == "read":
            patched.setattr(InputDataset, "__getitems__", broken_read)
        if here and where == "save":
            patched.setattr(training_module.Checkpoints, "save", full_disk)
        return run(data, out)


def test_what_one_fails_at_all_fail_at(data: str, tmp_path: Path, two_processes: Two) -> None:
    first, second = two_processes(fail_at, data=data, out=str(tmp_path / "a"), rank=1, where="read")
    assert (first["error"], second["error"]) == ("DataError", "DataError")
    assert first["message"] == "process 1: a sample can't be read"
    assert second["message"] == "a sample can't be read"
    first, second = two_processes(fail_at, data=data, out=str(tmp_path / "b"), rank=0, where="save")
    assert first == {**second, "told": first["told"]}
    assert first["error"] == "ResourceError"
    assert "disk is full" in first["message"]
    assert Run.open(tmp_path / "b").step == 3


def interrupted(data: str, out: str, rank: int) -> dict[str, Any]:
    """`run` in which one process is interrupted in its third step."""
    from ssl_domains.engine.step.step import TrainingStep

    with processes() as world:
        here = world.rank == rank
    step_of = TrainingStep.__call__

    def step(self: Any, batch: Any, number: int) -> Any:
        if here and number == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return step_of(self, batch, number)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TrainingStep, "__call__", step)
        return run(data, out, (*SHORT, "train.checkpoint_every_steps=5"))


@pytest.mark.parametrize("rank", [0, 1])
def test_an_interrupt_anywhere_stops_all_after_the_same_step(
    rank: int, data: str, tmp_path: Path, two_processes: Two
) -> None:
    out = tmp_path / "run"
    both = two_processes(interrupted, data=data, out=str(out), rank=rank)
    assert [each["error"] for each in both] == ["KeyboardInterrupt"] * 2
    assert [path.name for path in Run(out).checkpoints.paths()] == ["step-00000000.pt", "step-00000003.pt"]
    resumed = two_processes(run, data=data, out=str(out), resume=True)
    _close(resumed[0], run(data, str(tmp_path / "one")))


def test_a_rehearsal_needs_no_run(data: str, tmp_path: Path, two_processes: Two) -> None:
    first, second = two_processes(rehearsal, data=data)
    assert first.loss == pytest.approx(second.loss)
    alone = rehearsal(data)
    assert first.loss == pytest.approx(alone.loss, rel=1e-4)
    assert (first.total_steps, first.steps_per_epoch) == (alone.total_steps, alone.steps_per_epoch)


def rehearsal(data: str) -> Rehearsal:
    """A dry run."""
    found = small_run.run(Path(data), Path("nowhere"), method=PlainSimCLR, dry_run=True)
    assert isinstance(found, Rehearsal)
    return found


def turns() -> list[str]:
    """What this process sees done when its turn comes."""
    with processes() as world:
        said: list[str] = []
        with world.in_turn():
            said.append("alone" if world.first else "after")
        try:
            with world.in_turn():
                if world.first:
                    raise UsageError("the first can't", "nor can the others")
                said.append("not reached")
        except UsageError as error:
            said.append(f"{error.message}; {error.hint}")
        try:
            with world.together():
                if not world.first:
                    raise ValueError("a bug")
        except Exception as error:
            said.append(f"{type(error).__name__}: {error}")
        said.append(str(world.from_first(lambda: world.rank)))
        return said


def test_the_first_goes_ahead_and_failures_are_shared(two_processes: Two) -> None:
    first, second = two_processes(turns)
    assert first == ["alone", "the first can't; nor can the others", "RuntimeError: process 1: ValueError: a bug", "0"]
    assert second == ["after", "the first can't; nor can the others", "ValueError: a bug", "0"]


def test_one_process_alone_pays_nothing_and_asks_nobody() -> None:
    world = World()
    values = torch.arange(3)
    assert world.total(values) is values
    assert world.everywhere(values) is values
    assert world.parallel(nn.Linear(1, 1)) is None
    assert world.any(True)
    assert not world.any(False)
    with pytest.raises(ResourceError), world.in_turn(), world.together():
        raise ResourceError("full", "")


def batch_norm_run(data: str, out: str) -> dict[str, Any]:
    """`run` with BatchNorm in encoder and head, and without dropout."""
    return run(data, out, SHORT, plain=False, method=SimCLR)


def test_batch_norm_has_the_statistics_of_the_whole_batch(data: str, tmp_path: Path, two_processes: Two) -> None:
    one = batch_norm_run(data, str(tmp_path / "one"))
    both = two_processes(batch_norm_run, data=data, out=str(tmp_path / "two"))
    assert any("running_mean" in name for name in one["weights"])
    _equal(both[0], both[1])
    _close(both[0], one)
