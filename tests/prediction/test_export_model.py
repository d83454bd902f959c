"""A whole model as files: the same answers when loaded back, with all that is needed to use it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from fine_tuned import SIZE, fine_tuned
from small_run import NpyReader
from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation import ExportError, export
from ssl_domains.extending import Domain
from ssl_domains.finetuning import FineTuned
from ssl_domains.prediction import export_model, load_model
from ssl_domains.samples import SampleTable, write_table
from ssl_domains.views import Noise, Scaling, ViewRecipe, preprocess_from_dict

VALUES = torch.rand(3, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


class Reader(NpyReader):
    """Class 2 where a picture is bright, class 5 where it is dark."""

    def load_mask(self, row: Mapping[str, Any]) -> np.ndarray:
        pixels = self.load(row)[:, :, 0]
        return (2 * (pixels > 160) + 5 * (pixels < 60)).astype(np.uint8)

    def load_masks(self, path: str, rows: Sequence[Mapping[str, Any]]) -> list[np.ndarray]:
        return [self.load_mask(row) for row in rows]


def recipe(request: Any) -> ViewRecipe:
    return ViewRecipe((Noise(reason="for the test"),), request.size, request.views)


DOMAIN = Domain("squares", "for the test", Reader, recipe, scaling=lambda table: Scaling(lo=0, hi=255))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FineTuned]:
    """A model for each kind of task, by the name of its label."""
    folder, rng, rows = tmp_path_factory.mktemp("models"), np.random.default_rng(0), []
    for number in range(16):
        path = folder / f"{number}.npy"
        np.save(path, rng.integers(0, 256, (SIZE, SIZE, 1)).astype(np.uint8))
        rows.append((f"s{number}", str(path), str(path), "ab"[number % 2], 300.5 + number, ["x", "y"][: number % 3]))
    names = ["sample", "path", "mask_path", "kind", "height", "tags"]
    table = SampleTable(pl.DataFrame(rows, schema=names, orient="row"))
    write_table(table, folder / "s.parquet")
    return {
        label: FineTuned.open(fine_tuned(DOMAIN, folder / "s.parquet", folder / label, label))
        for label in ("kind", "height", "tags", "masks")
    }


@pytest.mark.parametrize("label", ["kind", "height", "tags", "masks"])
def test_a_loaded_model_gives_the_outputs_of_the_run(label: str, models: dict[str, FineTuned], tmp_path: Path) -> None:
    model = models[label]
    out = export_model(model, tmp_path / "out")
    loaded = load_model(out)
    assert not loaded.training
    with torch.no_grad():
        torch.testing.assert_close(loaded(VALUES), model.module()(VALUES), rtol=0, atol=0)
    assert loaded.head.task == model.task
    assert json.loads((out / "task.json").read_text()) == model.task.to_dict()
    assert preprocess_from_dict(json.loads((out / "preprocess.json").read_text())) == model.run.preprocess
    card = (out / "README.md").read_text()
    assert f"fine-tuned on {label}" in card
    described = card.split("```json\n")[1].split("```")[0]
    assert json.loads(described) == model.task.to_dict()
    assert str(model.run.folder) not in card
    assert "Pairs" not in card


def test_the_card_says_what_the_outputs_are(models: dict[str, FineTuned], tmp_path: Path) -> None:
    cards = {name: (export_model(model, tmp_path / name) / "README.md").read_text() for name, model in models.items()}
    assert "logits `[B, 2]`; their softmax gives the probabilities of `a`, `b`" in cards["kind"]
    assert "sigmoid gives the probability of each of `x`, `y`" in cards["tags"]
    assert "in the unit of `height`" in cards["height"]
    assert "logits `[B, 3, S, S]` of the background and of `2`, `5`" in cards["masks"]
    assert "The class numbers are 0, 2, 5" in cards["masks"]


def test_numbers_are_in_the_unit_of_the_label(models: dict[str, FineTuned], tmp_path: Path) -> None:
    with torch.no_grad():
        found = load_model(export_model(models["height"], tmp_path / "out"))(VALUES)
    assert (found > 290).all()
    assert (found < 330).all()


def test_the_encoder_of_a_fine_tuned_run_is_exported_as_one(models: dict[str, FineTuned], tmp_path: Path) -> None:
    out = export(models["kind"].run, tmp_path / "out", "safetensors")
    card = (out / "README.md").read_text()
    assert "fine-tuned on kind" in card
    assert "An encoder alone" in card
    assert not (out / "task.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("label", ["kind", "masks"])
def test_onnx_gives_the_answers_for_any_number_of_pictures(
    label: str, models: dict[str, FineTuned], tmp_path: Path
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    out = export_model(models[label], tmp_path / "out", "onnx")
    assert {path.name for path in out.iterdir()} == {"model.onnx", "task.json", "preprocess.json", "README.md"}
    session = onnxruntime.InferenceSession(str(out / "model.onnx"), providers=["CPUExecutionProvider"])
    for count in (1, 3):
        (found,) = session.run(None, {"input": VALUES[:count].numpy()})
        with torch.no_grad():
            expected = models[label].module()(VALUES[:count])
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-3, atol=1e-4)
    assert "[B, 1, 16, 16]" in (out / "README.md").read_text()


@pytest.mark.slow
def test_an_encoder_is_exported_as_onnx(models: dict[str, FineTuned], tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    run = models["kind"].run
    out = export(run, tmp_path / "out", "onnx")
    session = onnxruntime.InferenceSession(str(out / "model.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": VALUES.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(found, run.encoder()(VALUES).pooled.numpy(), rtol=1e-3, atol=1e-5)


def test_missing_packages_of_onnx_are_named(
    models: dict[str, FineTuned], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ssl_domains.evaluation.onnx_file.find_spec", lambda name: None)
    for act in (
        lambda: export_model(models["kind"], tmp_path / "out", "onnx"),
        lambda: export(models["kind"].run, tmp_path / "out", "onnx"),
    ):
        with pytest.raises(UsageError, match="onnx, onnxscript, onnxruntime, which are not installed") as caught:
            act()
        assert caught.value.hint == "pip install 'ssl-domains[onnx]'"
    assert not (tmp_path / "out").exists()


def test_refusals(models: dict[str, FineTuned], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be exported as 'timm'") as caught:
        export_model(models["kind"], tmp_path / "out", "timm")
    assert "--part encoder" in caught.value.hint
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    with pytest.raises(UsageError, match="already there"):
        export_model(models["kind"], tmp_path / "full")
    with pytest.raises(DataError, match="holds no exported model"):
        load_model(tmp_path / "full")
    with pytest.raises(DataError, match="holds no exported model"):
        load_model(export(models["kind"].run, tmp_path / "encoder", "safetensors"))


def test_a_model_that_loads_otherwise_is_no_export(
    models: dict[str, FineTuned], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = load_model

    def wrong(folder: Path) -> Any:
        loaded = right(folder)
        with torch.no_grad():
            next(loaded.head.parameters()).add_(1e-3)
        return loaded

    monkeypatch.setattr("ssl_domains.prediction.whole_model.load_model", wrong)
    with pytest.raises(ExportError, match="does not give the answers"):
        export_model(models["kind"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
