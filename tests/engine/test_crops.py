"""Runs whose views show crops: the same with any workers and processes, resumed bit for bit, and read by rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest
import torch
from torch import nn

import small_run
from ssl_domains.encoders import Encoder
from ssl_domains.engine import Run
from ssl_domains.engine.processes.distributed import processes
from ssl_domains.engine.step.feed import Feed
from ssl_domains.engine.step.step import StepResult, TrainingStep
from ssl_domains.errors import UsageError
from ssl_domains.evaluation.model_card import model_card
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import BatchSampler, Composition, parse
from ssl_domains.reports.facts import view_steps
from ssl_domains.stores import ArrayStore
from ssl_domains.views import (
    Canvas,
    HorizontalFlip,
    ImagePreprocess,
    InputDataset,
    Intensity,
    Noise,
    RandomCrop,
    RandomResizedCrop,
    Scaling,
    VariantRecipe,
    ViewRecipe,
    emitted_names,
    with_variants,
)

SHORT = ("train.max_steps=7", "train.keep=99")
CROP = RandomCrop((10, 12), emitted=("y_mm", "x_mm"), spacing=(25.0, "age"))
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


def recipe(crop: RandomCrop = CROP) -> ViewRecipe:
    steps = (HorizontalFlip(reason="sides do not matter"), Noise(reason="neither does noise"))
    return ViewRecipe(steps, small_run.SIZE, crop=crop)


def run(
    data: str, out: str, sets: tuple[str, ...] = SHORT, kind: str = "auto", plain: bool = True, **options: Any
) -> dict[str, torch.Tensor]:
    """Weights of a small run on crops."""
    options.setdefault("recipe", recipe())
    if plain:
        options["method"] = PlainSimCLR
    with processes() as world, world.in_turn():
        ArrayStore.fill(Path(data) / "store", small_run.make_table(Path(data)), small_run.NpyReader())
    done = small_run.run(Path(data), Path(out), sets, composition=Composition(kind), **options)
    return small_run.weights(done)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("crops") / "data")


@pytest.fixture(scope="module")
def alone(data: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    out = tmp_path_factory.mktemp("crops") / "alone"
    return out, run(data, str(out))


def _equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert [name for name, value in expected.items() if not torch.equal(found[name], value)] == []


def _close(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=2e-4, atol=2e-4, msg=name)


def _feed(data: str, workers: int, rank: int = 0, size: int = 1, kind: Any = "random") -> Feed:
    table = small_run.make_table(Path(data))
    store = ArrayStore.fill(Path(data) / "store", table, small_run.NpyReader())
    preprocess = ImagePreprocess(Scaling(lo=0, hi=255).fit(table, store), Canvas(small_run.SIZE), 1)
    dataset = InputDataset(table, store, preprocess, crop=CROP, views=2, seed=3)
    bound = parse("same('patient')").bind(table)  # type: ignore[union-attr]
    sampler = BatchSampler(bound, Composition(kind), 8, 3, rank, size)
    return Feed(dataset, sampler, {}, torch.device("cpu"), workers, channels_last=False)


@pytest.mark.parametrize("kind", ["random", "partner"])
def test_the_encoder_sees_the_array_at_the_emitted_origin(data: str, kind: str) -> None:
    feed = _feed(data, 0, kind=kind)
    table = small_run.make_table(Path(data))
    canvas = Canvas(small_run.SIZE)
    for batch in feed.epoch(1):
        assert batch.input is None
        seats = batch.index.view(-1, 8)
        for view, crop in enumerate(batch.crops):
            for place, row in enumerate(seats[view % len(seats)].tolist()):
                array = np.load(table.frame["path"][row])
                y = round(float(crop.emitted["y_mm"][place]) / 25)
                x = round(float(crop.emitted["x_mm"][place]) / table.frame["age"][row])
                expected, _ = canvas.apply(np.ascontiguousarray(array[y : y + 10, x : x + 12]))
                shown = crop.input.values[place, 0] * 255
                np.testing.assert_allclose(shown.numpy(), expected[:, :, 0], atol=1e-4)


def test_two_processes_and_two_workers_load_what_one_process_loads(data: str) -> None:
    whole, workers = list(_feed(data, 0).epoch(0)), list(_feed(data, 2).epoch(0))
    parts = [list(_feed(data, 0, rank, 2).epoch(0)) for rank in (0, 1)]
    for step, batch in enumerate(whole):
        for view, crop in enumerate(batch.crops):
            assert torch.equal(workers[step].crops[view].input.values, crop.input.values)
            halves = [part[step].crops[view] for part in parts]
            assert torch.equal(torch.cat([half.input.values for half in halves]), crop.input.values)
            for name in CROP.emitted:
                assert torch.equal(workers[step].crops[view].emitted[name], crop.emitted[name])
                assert torch.equal(torch.cat([half.emitted[name] for half in halves]), crop.emitted[name])


@pytest.mark.parametrize(("kind", "workers"), [("auto", 2), ("partner", 1)])
def test_workers_change_nothing(data: str, tmp_path: Path, kind: str, workers: int) -> None:
    here = run(data, str(tmp_path / "here"), kind=kind, plain=False)
    _equal(run(data, str(tmp_path / "workers"), (*SHORT, f"data.workers={workers}"), kind=kind, plain=False), here)


def test_micro_batches_see_the_same_crops(alone: Any, data: str, tmp_path: Path) -> None:
    _close(run(data, str(tmp_path / "micro"), (*SHORT, "train.micro_batch_size=3")), alone[1])


@pytest.mark.parametrize("sets", [(), ("data.workers=1", "train.micro_batch_size=3")])
def test_two_processes_train_what_one_trains(
    sets: tuple[str, ...], alone: Any, data: str, tmp_path: Path, two_processes: Two
) -> None:
    first, second = two_processes(run, data=data, out=str(tmp_path / "two"), sets=(*SHORT, *sets))
    _equal(first, second)
    _close(first, alone[1])


@pytest.mark.parametrize("step", [0, 3, 6])
def test_resumed_bit_for_bit(alone: Any, data: str, tmp_path: Path, step: int) -> None:
    out = tmp_path / "cut"
    run(data, str(out))
    for path in Run.open(out).checkpoints.paths():
        if path.name > f"step-{step:08d}.pt":
            path.unlink()
    _equal(run(data, str(out), (*SHORT, "data.workers=2"), resume=True), alone[1])


@pytest.mark.parametrize("workers", [0, 2])
def test_killed_and_resumed_bit_for_bit(data: str, tmp_path: Path, launcher: Any, workers: int) -> None:
    sets = (*SHORT, f"data.workers={workers}")
    views = small_run.make_recipe((10, 12))
    expected = run(data, str(tmp_path / "alone"), recipe=views, plain=False)
    out = tmp_path / "killed"
    launcher.start(data=data, out=str(out), sets=sets, die="step:5", crop=[10, 12])
    assert launcher.wait() == -9
    assert Run.open(out).step == 3
    resumed = small_run.run(Path(data), out, sets, recipe=views, resume=True)
    _equal(small_run.weights(resumed), expected)


def test_the_run_records_the_crop_and_is_resumed_with_no_other(alone: Any, data: str, tmp_path: Path) -> None:
    opened = Run.open(alone[0])
    assert json.loads((alone[0] / "recipe.json").read_text())["crop"]["sides"] == [10, 12]
    assert opened.crop == CROP
    assert ViewRecipe.from_dict(opened.recipe) == recipe()
    shown = view_steps(opened.recipe)
    assert [step["name"] for step in shown] == ["random crop", "horizontal-flip", "noise"]
    assert "sides [10, 12]" in shown[0]["settings"]
    assert "- random crop: a view shows a part of a sample" in model_card(opened, "safetensors", 8)
    for other in (recipe(RandomCrop((10, 11), CROP.emitted, CROP.spacing)), recipe(None)):  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="the views are not those"):
            run(data, str(alone[0]), recipe=other, resume=True)


def test_a_rule_reads_the_origin_of_the_crops(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert emitted_names(recipe()) == ("y_mm", "x_mm")
    results: list[StepResult] = []
    step = TrainingStep.__call__

    def recorded(self: TrainingStep, *args: Any) -> StepResult:
        results.append(step(self, *args))
        return results[-1]

    monkeypatch.setattr(TrainingStep, "__call__", recorded)
    out = tmp_path / "run"
    run(data, str(out), ("train.max_steps=1",), rule="within('x_mm', 20) & same('patient')")
    (share,) = Run.open(out).metrics()[-1]["no_cross_positive"].values()
    rows = results[-1].rows
    x, sample = rows.emitted["x_mm"].numpy(), rows.sample.numpy()
    assert len(np.unique(x)) > 4
    patient = np.array(small_run.make_table(Path(data)).codes("patient"))[sample]
    near = abs(x[:, None] - x[None]) <= 20
    matches = near & (patient[:, None] == patient[None]) & (sample[:, None] != sample[None])
    expected = float((~matches.any(axis=1)).mean())
    assert 0 < expected < 1
    assert share == pytest.approx(expected)


def test_a_rule_with_the_origin_of_a_crop_needs_the_crop(data: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="x_mm"):
        run(data, str(tmp_path / "run"), rule="within('x_mm', 20)", recipe=small_run.make_recipe())


def test_steps_may_read_what_the_crop_emits(data: str, tmp_path: Path) -> None:
    class Brightened(Intensity):
        """Adds a share of the crop's origin to the picture."""

        columns = ("x_mm",)
        share: ClassVar[float] = 0.0

        def device(self, images: Any, mask: Any, parameters: Any, columns: Any) -> Any:
            return images + columns["x_mm"].float()[:, None, None, None] * self.share, mask

    class Watched(SimCLR):
        def embed(self, views: Any) -> Any:
            means.append(torch.cat([view.input.values.mean(dim=(1, 2, 3)) for view in views.each]).double())
            origins.append(views.emitted["x_mm"])
            return super().embed(views)

    means: list[torch.Tensor] = []
    origins: list[torch.Tensor] = []
    made = ViewRecipe((Brightened(reason="to see it"),), small_run.SIZE, crop=CROP)
    for share in (0.0, 0.01):
        Brightened.share = share
        out = tmp_path / str(share)
        small_run.run(Path(data), out, ("train.max_steps=1",), recipe=made, method=Watched)
    assert torch.equal(origins[0], origins[1])
    assert float(origins[0].std()) > 0
    torch.testing.assert_close(means[1] - means[0], 0.01 * origins[0], rtol=0, atol=1e-5)


def test_a_multi_crop_recipe_takes_one_crop(data: str) -> None:
    base = ViewRecipe((RandomResizedCrop(reason="scale"),), small_run.SIZE, crop=CROP)
    made = with_variants(base, {"global": 2, "local": 2})
    assert isinstance(made, VariantRecipe)
    assert made.crop == CROP
    other = VariantRecipe(("a", "b"), (base, recipe(RandomCrop(4))), (1, 1))
    with pytest.raises(UsageError, match="different crops"):
        assert other.crop
