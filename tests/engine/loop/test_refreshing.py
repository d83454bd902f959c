"""A column that the method computes between epochs: batches and loss follow it, killed or not, in several processes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import pytest
import torch
from torch import Tensor, nn

import small_run
from ssl_domains.encoders import Encoder
from ssl_domains.engine import Run
from ssl_domains.engine.record.events import Event, Refreshed, Warned
from ssl_domains.engine.step.step import StepResult, TrainingStep
from ssl_domains.errors import DataError, SslDomainsError, UsageError
from ssl_domains.methods import Refresh, SimCLR
from ssl_domains.methods import Refreshed as Answer
from ssl_domains.pairs import Composition, edges_between
from ssl_domains.samples import SampleTable

SETS = ("train.keep=99", "train.checkpoint_every_steps=1", "health.every_steps=1")  # four epochs of five steps
RULE = "same('cluster')"


class Clustered(SimCLR):
    """SimCLR whose clusters are the quadrants of the first two features about their means, now and then a wrong one."""

    def __init__(self, encoder: Encoder, head: nn.Module, every: int = 2, edges: bool = False) -> None:
        super().__init__(encoder, head, 0.2, learnable_temperature=True)
        self.given: list[Tensor] = []
        self.refresh = Refresh(self._compute, ("cluster",), ("mined",) if edges else (), every)

    def _compute(self, features: Tensor, table: SampleTable) -> Answer:
        assert not torch.is_grad_enabled() or not features.requires_grad
        signs = (features[:, :2] > features[:, :2].mean(dim=0)).long()
        codes = 2 * signs[:, 0] + signs[:, 1]
        codes[torch.randint(len(codes), (1,))] = -1  # draws from the run's generator, as k-means does
        self.given.append(codes)
        mined = {}
        if self.refresh is not None and self.refresh.edges:
            mined["mined"] = edges_between(table, torch.arange(0, 40, 2), torch.arange(1, 40, 2))
        return Answer({"cluster": codes}, mined)


class Spy:
    """Builds the method and keeps it."""

    needs, options = SimCLR.needs, SimCLR.options

    def __init__(self, plain: bool = False, **keywords: Any) -> None:
        self.plain, self.keywords = plain, keywords
        self.methods: list[Clustered] = []

    def build(self, encoder: Encoder, options: Mapping[str, Any]) -> Clustered:
        if self.plain:
            for _, module in list(encoder.named_modules()):
                for name, child in list(module.named_children()):
                    if isinstance(child, nn.BatchNorm2d):
                        setattr(module, name, nn.GroupNorm(4, child.num_features))
        head = nn.Linear(encoder.num_features, 8)
        method = Clustered(encoder, head if self.plain else nn.Sequential(nn.Dropout(0.2), head), **self.keywords)
        self.methods.append(method)
        return method


def run(data: str, out: str, rule: str = RULE, sets: tuple[str, ...] = SETS, **options: Any) -> dict[str, Any]:
    """A small run in this process: its weights, what was computed, and the batches and positives of each step."""
    spy = Spy(options.pop("plain", False), every=options.pop("every", 2), edges=options.pop("edges", False))
    composition = Composition(options.pop("kind", "groups"))
    events: list[Event] = []
    steps: list[tuple[int, Tensor, Tensor, Tensor]] = []
    step_of, loss = TrainingStep.__call__, SimCLR.loss

    def kept_loss(self: SimCLR, out: Any, pairs: Any) -> Any:
        bound = pairs.objective.relations[0].codes
        keys.append(torch.from_numpy(bound.copy()) if bound is not None else torch.empty(0))
        return loss(self, out, pairs)

    def kept_step(self: TrainingStep, batch: Any, number: int) -> StepResult:
        result = step_of(self, batch, number)
        steps.append((number, batch.whole, keys[-1], result.loss.no_cross_positive))
        return result

    keys: list[Tensor] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SimCLR, "loss", kept_loss)
        patched.setattr(TrainingStep, "__call__", kept_step)
        try:
            done = small_run.run(
                Path(data), Path(out), sets, rule=rule, composition=composition, method=spy,
                on_event=events.append, **options,
            )  # fmt: skip
        except SslDomainsError as error:
            return {"error": type(error).__name__, "message": error.message}
    saved = done.checkpoints.load()
    return {
        "weights": small_run.weights(done),
        "computed": saved["computed"],
        "given": spy.methods[0].given,
        "steps": steps,
        "refreshed": [event.epoch for event in events if isinstance(event, Refreshed)],
        "warnings": [event.text for event in events if isinstance(event, Warned)],
    }


@pytest.fixture
def data(left_alone: Run, small_data: Path) -> str:
    return str(small_data)


def _equal(found: dict[str, Any], expected: dict[str, Any]) -> None:
    differing = [name for name, value in expected["weights"].items() if not torch.equal(found["weights"][name], value)]
    assert differing == []
    assert torch.equal(found["computed"]["columns"]["cluster"], expected["computed"]["columns"]["cluster"])


def _partition(codes: Tensor) -> set[frozenset[int]]:
    groups: dict[int, set[int]] = {}
    for row, code in enumerate(codes.tolist()):
        if code >= 0:
            groups.setdefault(code, set()).add(row)
    return {frozenset(rows) for rows in groups.values()}


def test_batches_and_loss_follow_the_column_from_the_boundary_on(data: str, tmp_path: Path) -> None:
    found = run(data, str(tmp_path / "run"))
    first, second = found["given"]
    assert found["refreshed"] == [2]  # the one before training is part of its start
    assert _partition(first) != _partition(second)
    per_epoch = len(found["steps"]) // 4
    assert per_epoch >= 5
    for number, batch, codes, _ in found["steps"]:
        now = second if codes.tolist() == found["steps"][-1][2].tolist() else first
        assert _partition(codes) == _partition(now)  # what the loss reads
        # What the sampler composed by: pairs of one cluster stand next to one another, but for leftovers.
        clusters = now[batch[0].view(-1, 2)]
        together = (clusters[:, 0] == clusters[:, 1]).float().mean()
        assert together >= 0.5
        if number == 0:
            assert now is first
    last = [torch.equal(codes, found["steps"][-1][2]) for _, _, codes, _ in found["steps"]]
    assert last == sorted(last)  # the new column once, and then to the end
    assert sum(last) > 5
    assert found["computed"]["version"] == 2
    assert torch.equal(found["computed"]["columns"]["cluster"], second)


@pytest.mark.parametrize("after_the_boundary", [-12, -1, 0, 1, 7])
def test_killed_anywhere_about_the_boundary_and_resumed_gives_the_same_bits(
    after_the_boundary: int, data: str, tmp_path: Path
) -> None:
    alone = run(data, str(tmp_path / "alone"))
    columns = [codes.tolist() for _, _, codes, _ in alone["steps"]]
    step = max(0, columns.index(columns[-1]) + after_the_boundary)
    shutil.copytree(tmp_path / "alone", tmp_path / "again")
    for path in Run(tmp_path / "again").checkpoints.paths():
        if path.name > f"step-{step:08d}.pt":
            path.unlink()
    assert Run.open(tmp_path / "again").step == step
    again = run(data, str(tmp_path / "again"), resume=True)
    _equal(again, alone)
    assert [number for number, *_ in again["steps"]] == list(range(step, len(alone["steps"])))
    for found, expected in zip(again["steps"], alone["steps"][step:], strict=True):
        assert torch.equal(found[1], expected[1])
        assert torch.equal(found[2], expected[2])


def test_two_processes_compute_what_one_computes(data: str, tmp_path: Path, two_processes: Callable[..., Any]) -> None:
    one = run(data, str(tmp_path / "one"), plain=True)
    first, second = two_processes(run, data=data, out=str(tmp_path / "two"), plain=True)
    assert second["given"] == []  # one computes, all take it
    assert [codes.tolist() for codes in first["given"]] == [codes.tolist() for codes in one["given"]]
    for name, value in one["weights"].items():
        torch.testing.assert_close(first["weights"][name], value, rtol=2e-4, atol=2e-4, msg=name)
        assert torch.equal(second["weights"][name], first["weights"][name])
    for found, expected in zip(second["steps"], one["steps"], strict=True):
        assert torch.equal(found[1], expected[1])
        assert torch.equal(found[2], expected[2])


def test_two_processes_resume_across_the_boundary_bit_for_bit(
    data: str, tmp_path: Path, two_processes: Callable[..., Any]
) -> None:
    # Dropout and BatchNorm: generators and running statistics differ between the processes.
    alone = two_processes(run, data=data, out=str(tmp_path / "alone"))
    shutil.copytree(tmp_path / "alone", tmp_path / "again")
    for path in Run(tmp_path / "again").checkpoints.paths()[9:]:
        path.unlink()
    _equal(two_processes(run, data=data, out=str(tmp_path / "again"), resume=True)[0], alone[0])


def test_mined_edges_come_the_same_way(data: str, tmp_path: Path) -> None:
    found = run(data, str(tmp_path / "run"), "linked('mined') + same('cluster')", edges=True, kind="draw")
    assert found["computed"]["edges"]["mined"]["grade"].tolist() == [1.0] * 20
    # Every row has one edge, and is drawn with its partner.
    shares = torch.stack([shares for *_, shares in found["steps"]]).mean(dim=0)
    assert shares[0] < 0.2


def _one_cluster(features: Tensor, table: SampleTable) -> Answer:
    return Answer({"cluster": torch.zeros(len(features), dtype=torch.int64)})


def test_a_column_that_collapses_ends_the_run_and_says_why(data: str, tmp_path: Path) -> None:
    class Collapsing(Clustered):
        def _compute(self, features: Tensor, table: SampleTable) -> Answer:
            return super()._compute(features, table) if not self.given else _one_cluster(features, table)

        @classmethod
        def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
            return cls(encoder, nn.Linear(encoder.num_features, 8))

    with pytest.raises(DataError):
        small_run.run(Path(data), tmp_path / "run", SETS, rule=RULE, method=Collapsing)
    position = Run.open(tmp_path / "run").checkpoints.load()["sampler"]
    assert (position["epoch"], position["step"]) == (2, 0)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer({}), "left out cluster"),
        (Answer({"cluster": torch.zeros(40), "other": torch.zeros(40)}), "other"),
        (Answer({"cluster": torch.zeros(39)}), "39 values for 40 rows"),
    ],
)
def test_a_wrong_answer_is_told(answer: Answer, message: str, data: str, tmp_path: Path) -> None:
    class Wrong(SimCLR):
        @classmethod
        def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
            method = cls(encoder, nn.Linear(encoder.num_features, 8))
            method.refresh = Refresh(lambda features, table: answer, ("cluster",))
            return method

    with pytest.raises(SslDomainsError, match=message):
        small_run.run(Path(data), tmp_path / "run", SETS, rule=RULE, method=Wrong)
    assert not (tmp_path / "run").exists()


def test_a_refresh_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(UsageError, match="every 0 epochs"):
        Refresh(_one_cluster, ("cluster",), every=0)
    with pytest.raises(UsageError, match="computes nothing"):
        Refresh(_one_cluster)
