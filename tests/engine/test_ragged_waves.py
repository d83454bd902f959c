"""A kind of data that the core doesn't know, from Python: waves of any length, with their preprocess and recipe."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import small_run
from ssl_domains.encoders import Encoder
from ssl_domains.engine import Parts, Run, load_config, pretrain
from ssl_domains.engine.processes.distributed import processes
from ssl_domains.errors import DataError
from ssl_domains.inputs import Input, InputSpec, View
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, parse
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Preprocess, Recipe, Scaling, preprocess_from_dict, register_preprocess
from ssl_domains.views.draws import Draws

SETTINGS = (
    "encoder.name=conv1d", "head.layers=1", "head.out=8", "train.epochs=4", "train.batch_size=8", "train.device=cpu",
    "train.checkpoint_every_steps=3", "train.keep=99", "health.every_steps=4", "train.max_steps=7",
)  # fmt: skip


@register_preprocess
@dataclass(frozen=True)
class Waves:
    """int16 ``[T, 1, 1]`` to float32 in [-1, 1], ``[1, 1, T]``."""

    name: ClassVar[str] = "waves of a test"
    columns: ClassVar[tuple[str, ...]] = ("gain",)
    full_scale: float = 32768.0

    @property
    def spec(self) -> InputSpec:
        return InputSpec("wave", 1, (None,))

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        gain = float((facts or {"gain": 1.0})["gain"])
        values = torch.from_numpy(array.reshape(1, 1, -1).astype(np.float32)) * (gain / self.full_scale)
        return self.spec.input(values)

    def to_dict(self) -> dict[str, Any]:
        return {"full_scale": self.full_scale}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(float(values["full_scale"]))


@dataclass(frozen=True)
class CropsAndNoise:
    """A crop of half of each wave, and noise; each sample keeps a length of its own."""

    views: int = 2
    columns: ClassVar[tuple[str, ...]] = ()
    emitted: ClassVar[tuple[str, ...]] = ("start",)

    def views_of(
        self,
        x: Input,
        *beside: Input,
        seed: int,
        step: int,
        slots: Tensor,
        columns: Mapping[str, Tensor] | None = None,
        only: Sequence[int] | None = None,
    ) -> list[View]:
        made = []
        for number in range(self.views) if only is None else only:
            draws = Draws(seed, step, slots, number, "wave crop")
            places, noise = draws.uniform(1)[:, 0], draws.uniform(64)
            crops, starts = [], []
            for row, length in enumerate(x.lengths.tolist()):
                kept = length // 2
                start = int(float(places[row]) * (length - kept))
                values = x.values[row, :, start : start + kept]
                grain = noise[row].float().repeat(-(-kept // 64))[:kept]
                crops.append(Input((values + 0.01 * grain)[None], None, x.kind, x.ragged, x.pad))
                starts.append(float(start))
            made.append(View(Input.cat(crops), {"start": torch.tensor(starts, dtype=torch.float64)}))
        return made

    def to_dict(self) -> dict[str, Any]:
        return {"name": "crops and noise", "views": self.views}


class WaveSimCLR(SimCLR):
    """SimCLR without BatchNorm, so that nothing depends on what else is in a micro-batch or process."""

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        for module in list(encoder.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, nn.BatchNorm1d):
                    setattr(module, name, nn.Identity())
        return cls(encoder, nn.Linear(encoder.num_features, options["out"]), options["temperature"])


def make_table(folder: Path) -> SampleTable:
    """Forty waves of ten patients, from 150 to 700 samples long."""
    folder.mkdir(parents=True, exist_ok=True)
    draws, rows = np.random.default_rng(0), []
    for number in range(40):
        length = int(draws.integers(150, 700))
        wave = 8000 * np.sin(np.arange(length) * (0.05 + 0.03 * (number // 4))) + draws.normal(0, 300, length)
        path = folder / f"{number}.npy"
        if not path.exists():
            np.save(path, wave.astype(np.int16).reshape(-1, 1, 1))
        rows.append((f"s{number}", str(path), f"p{number // 4}", 1.0 + number % 2, "train"))
    return SampleTable(pl.DataFrame(rows, schema=["sample", "path", "patient", "gain", "split"], orient="row"))


def run(data: str, out: str, sets: tuple[str, ...] = (), rule: str = "same('patient')", **options: Any) -> Any:
    """Weights and measurements of a run in this process."""
    with processes() as world, world.in_turn():
        table = make_table(Path(data))
        store = ArrayStore.fill(Path(data) / "store", table, small_run.NpyReader())
    parts = Parts(table, store, parse(rule), Composition(), CropsAndNoise(), Scaling(), WaveSimCLR, preprocess=Waves())
    done = pretrain(load_config(sets=[*SETTINGS, *sets]), parts, Path(out), **options)
    return {"weights": small_run.weights(done), "metrics": done.metrics()}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("waves") / "data")


@pytest.fixture(scope="module")
def alone(data: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    out = tmp_path_factory.mktemp("waves") / "alone"
    return out, run(data, str(out))


def _close(found: Any, expected: Any) -> None:
    assert found["weights"].keys() == expected["weights"].keys()
    for name, value in expected["weights"].items():
        torch.testing.assert_close(found["weights"][name], value, rtol=2e-4, atol=2e-4, msg=name)


def test_the_contracts_are_kept() -> None:
    assert isinstance(Waves(), Preprocess)
    assert isinstance(CropsAndNoise(), Recipe)
    assert preprocess_from_dict({"name": Waves.name, "full_scale": 4.0}) == Waves(4.0)
    with pytest.raises(DataError, match="isn't known here"):
        preprocess_from_dict({"name": "waves of another test"})


def test_a_run_trains_and_can_be_opened_again(alone: tuple[Path, Any], data: str) -> None:
    out, trained = alone
    opened = Run.open(out)
    assert opened.preprocess == Waves()
    assert json.loads((out / "preprocess.json").read_text())["name"] == Waves.name
    assert opened.recipe == CropsAndNoise().to_dict()
    assert opened.step == 7
    first = Run.open(out).checkpoints.load(out / "checkpoints" / "step-00000000.pt")["method"]
    assert not torch.equal(first["head.weight"], trained["weights"]["method.head.weight"])
    assert all(np.isfinite(line["loss"]) and line["alignment"] > 0 for line in trained["metrics"])


def test_neither_workers_nor_micro_batches_change_it(alone: tuple[Path, Any], data: str, tmp_path: Path) -> None:
    workers = run(data, str(tmp_path / "workers"), ("data.workers=2",))
    assert all(torch.equal(value, alone[1]["weights"][name]) for name, value in workers["weights"].items())
    # Few waves at a time are padded to other lengths: the encoder must not see the padding.
    _close(run(data, str(tmp_path / "micro"), ("train.micro_batch_size=3",)), alone[1])


def test_resumed_bit_for_bit(alone: tuple[Path, Any], data: str, tmp_path: Path) -> None:
    run(data, str(tmp_path / "cut"))
    for path in Run.open(tmp_path / "cut").checkpoints.paths():
        if path.name > "step-00000003.pt":
            path.unlink()
    again = run(data, str(tmp_path / "cut"), resume=True)
    assert all(torch.equal(value, alone[1]["weights"][name]) for name, value in again["weights"].items())


def test_two_processes_train_what_one_trains(
    alone: tuple[Path, Any], data: str, tmp_path: Path, two_processes: Callable[..., list[Any]]
) -> None:
    first, second = two_processes(run, data=data, out=str(tmp_path / "two"))
    assert all(torch.equal(value, second["weights"][name]) for name, value in first["weights"].items())
    _close(first, alone[1])


def test_a_rule_may_read_what_the_recipe_emits(data: str, tmp_path: Path) -> None:
    found = run(data, str(tmp_path / "run"), rule="within('start', 50) & same('patient')")
    (share,) = found["metrics"][-1]["no_cross_positive"].values()
    assert 0 < share < 1
