"""Runs of slots (picture, another of the patient, mined negatives): batches, loss, resume, processes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
import torch
from torch import Tensor, nn

import small_run
from ssl_domains.encoders import Encoder
from ssl_domains.engine import Run
from ssl_domains.engine.step.step import TrainingStep
from ssl_domains.errors import SslDomainsError, UsageError
from ssl_domains.methods import Refresh, Refreshed, SimCLR
from ssl_domains.pairs import Composition, edges_between
from ssl_domains.samples import SampleTable

COMPOSITION = Composition("partner", negatives="linked('mined')", n_negatives=2)
SETS = ("train.keep=99", "train.checkpoint_every_steps=1", "train.batch_size=10", "train.epochs=3")


class Mining(SimCLR):
    """SimCLR that mines the most similar pictures of other samples, after a first epoch without."""

    def __init__(self, encoder: Encoder, head: nn.Module, start: int = 1) -> None:
        super().__init__(encoder, head, 0.2)
        self.refresh = Refresh(self._mine, edges=("mined",), start=start, reads="z")

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        for _, module in list(encoder.named_modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, nn.BatchNorm2d):
                    setattr(module, name, nn.GroupNorm(4, child.num_features))
        return cls(encoder, nn.Linear(encoder.num_features, 8))

    def _mine(self, z: Tensor, table: SampleTable) -> Refreshed:
        assert torch.allclose(z.norm(dim=1), torch.ones(len(table)), atol=1e-5)
        nearest = (z @ z.T).fill_diagonal_(-2).topk(8).indices
        return Refreshed(edges={"mined": edges_between(table, torch.arange(40).repeat_interleave(8), nearest.ravel())})


def run(data: str, out: str, sets: tuple[str, ...] = SETS, views: int = 4, **options: Any) -> dict[str, Any]:
    """A small run: its weights, the seats of each batch and the anchors of each loss."""
    steps: list[tuple[int, Tensor, int]] = []
    step_of, loss = TrainingStep.__call__, SimCLR.loss
    anchors: list[Tensor] = []

    def kept_loss(self: SimCLR, out: Any, pairs: Any) -> Any:
        anchors.append(pairs.rows.view if pairs.anchors is None else pairs.rows.view[pairs.anchors])
        return loss(self, out, pairs)

    def kept_step(self: TrainingStep, batch: Any, number: int) -> Any:
        steps.append((number, batch.whole.clone(), batch.negatives))
        return step_of(self, batch, number)

    recipe = replace(small_run.make_recipe(), views=views)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SimCLR, "loss", kept_loss)
        patched.setattr(TrainingStep, "__call__", kept_step)
        try:
            options = {"composition": COMPOSITION, "method": Mining, **options}
            done = small_run.run(Path(data), Path(out), sets, recipe=recipe, **options)
        except SslDomainsError as error:
            return {"error": type(error).__name__, "message": error.message, "hint": error.hint}
    edges = done.checkpoints.load()["computed"]["edges"]["mined"]["grade"]
    return {"weights": small_run.weights(done), "steps": steps, "anchors": anchors, "edges": len(edges)}


@pytest.fixture
def data(left_alone: Run, small_data: Path) -> str:
    return str(small_data)


def test_batches_have_seeds_partners_and_negatives_of_other_patients(data: str, tmp_path: Path) -> None:
    found = run(data, str(tmp_path / "run"))
    assert found["edges"] == 320
    assert len(found["steps"]) == 12
    for _, seats, negatives in found["steps"]:
        assert seats.shape == (4, 10)
        assert negatives == 2
        patient = seats // small_run.EACH
        assert torch.equal(patient[0], patient[1])
        assert (patient[2:] != patient[0]).all()
        assert (seats[2] != seats[3]).all()
    for views in found["anchors"]:
        assert sorted(set(views.tolist())) == [0, 1]  # the negatives of seats 2 and 3 are candidates
    done = Run.open(tmp_path / "run")
    assert (done.config.pairs.negatives, done.config.pairs.n_negatives) == ("linked('mined')", 2)
    facts = json.loads((done.folder / "pairs.json").read_text())["negatives"]
    assert (facts["random"], facts["by_rule"]) == (1.0, 0.0)  # nothing is mined before the second epoch
    assert list(done.folder.glob("refresh*")) == []


@pytest.mark.parametrize("step", [2, 4, 7])
def test_killed_before_and_after_the_first_refresh_and_resumed_bit_for_bit(
    step: int, data: str, tmp_path: Path
) -> None:
    alone = run(data, str(tmp_path / "alone"))
    shutil.copytree(tmp_path / "alone", tmp_path / "again")
    for path in Run(tmp_path / "again").checkpoints.paths():
        if path.name > f"step-{step:08d}.pt":
            path.unlink()
    (tmp_path / "again" / "refresh-left.f32").write_bytes(b"half")  # of a run killed in a refresh
    again = run(data, str(tmp_path / "again"), resume=True)
    assert [name for name, value in alone["weights"].items() if not torch.equal(again["weights"][name], value)] == []
    for found, expected in zip(again["steps"], alone["steps"][step:], strict=True):
        assert torch.equal(found[1], expected[1])
    assert list((tmp_path / "again").glob("refresh*")) == []


def test_two_processes_train_what_one_trains(data: str, tmp_path: Path, two_processes: Callable[..., Any]) -> None:
    composition = replace(COMPOSITION, bucket="age")
    one = run(data, str(tmp_path / "one"), composition=composition)
    first, second = two_processes(run, data=data, out=str(tmp_path / "two"), composition=composition)
    for name, value in one["weights"].items():
        torch.testing.assert_close(first["weights"][name], value, rtol=2e-4, atol=2e-4, msg=name)
        assert torch.equal(second["weights"][name], first["weights"][name])
    for found, expected in zip(second["steps"], one["steps"], strict=True):
        assert torch.equal(found[1], expected[1])


def test_short_epochs_refresh_every_so_many_steps(data: str, tmp_path: Path) -> None:
    composition = replace(COMPOSITION, epoch_steps=3)
    found = run(data, str(tmp_path / "run"), (*SETS, "train.epochs=4"), composition=composition)
    assert len(found["steps"]) == 12
    seeds = torch.cat([seats[0] for _, seats, _ in found["steps"]])
    for turn in range(3):
        assert sorted(seeds[40 * turn : 40 * (turn + 1)].tolist()) == list(range(40))
    done = Run.open(tmp_path / "run")
    assert done.checkpoints.load()["computed"]["version"] == 3  # before the second, third and fourth
    assert done.checkpoints.load()["schedule"] == {"total_steps": 12, "warmup_steps": 3}


@pytest.mark.parametrize(("views", "least"), [(2, 4), (6, 4), (3, 4)])
def test_views_that_are_no_multiple_of_the_seats_are_refused(views: int, least: int, data: str, tmp_path: Path) -> None:
    found = run(data, str(tmp_path / "run"), views=views)
    assert found["error"] == UsageError.__name__
    assert found["message"] == f"a slot has 4 seats, and {views} views are no multiple of them"
    assert found["hint"] == f"use --set views.n={least}"


def test_a_dry_run_refreshes_in_a_temporary_folder(data: str, tmp_path: Path) -> None:
    recipe = replace(small_run.make_recipe(), views=4)

    class Early(Mining):
        @classmethod
        def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
            return cls(encoder, nn.Linear(encoder.num_features, 8), start=0)

    found = small_run.run(
        Path(data), tmp_path / "run", SETS, composition=COMPOSITION, method=Early, recipe=recipe, dry_run=True
    )
    assert "linked('mined')" in found.composition
    assert not (tmp_path / "run").exists()
