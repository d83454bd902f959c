"""``predict`` for a domain without a format of its own: one CSV file for labels, PNG files for masks."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from fine_tuned import fine_tuned
from ssl_domains.extending import Domain, PluginSettings, Registry


def toy_source() -> str:
    """The text of the toy plugin, which stands in the conftest of this folder."""
    tree = ast.parse(Path(__file__).with_name("conftest.py").read_text(encoding="utf-8"))
    values = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}  # type: ignore[attr-defined]
    return str(ast.literal_eval(values["TOY"]))


@pytest.fixture
def toys(toy: Path) -> Domain:
    return Registry(PluginSettings.of()).domain("toy")


def test_classes_of_a_folder_and_of_a_table_agree(samples: Path, toys: Domain, cli: Any, tmp_path: Path) -> None:
    run = fine_tuned(toys, samples, tmp_path / "run", "kind")
    done = cli("toy", "predict", run.folder, tmp_path / "data", "-o", tmp_path / "out" / "a.csv", "--json")
    assert done.code == 0, done.err
    assert done.json["samples"] == done.json["trained_on"] == 48
    assert (done.json["task"], done.json["label"], done.json["classes"]) == ("classification", "kind", ["a", "b"])
    assert sum(done.json["counts"].values()) == 48
    assert list(done.json["left_out"].values()) == [1]
    found = pl.read_csv(tmp_path / "out" / "a.csv")
    assert found.columns == ["sample", "path", "predicted", "p_a", "p_b", "trained_on"]
    problems = pl.read_csv(tmp_path / "out" / "a.problems.csv")
    assert problems["path"].to_list() == [str(tmp_path / "data" / "900.npy")]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a.csv", "a.problems.csv"}

    done = cli("toy", "predict", run.folder, samples, "-o", tmp_path / "b.csv")
    assert done.code == 0, done.err
    assert "48 samples predicted" in done.out
    assert "trained on 48 of these samples" in done.out
    same = pl.read_csv(tmp_path / "b.csv")
    assert same["path"][0].startswith("data/")  # below the folder of the file
    np.testing.assert_allclose(same["p_a"].to_numpy(), found["p_a"].to_numpy(), rtol=1e-12)


def test_numbers_are_in_the_unit_of_the_label(samples: Path, toys: Domain, cli: Any, tmp_path: Path) -> None:
    run = fine_tuned(toys, samples, tmp_path / "run", "height")
    done = cli("toy", "predict", run.folder, samples, "-o", tmp_path / "a.csv")
    assert done.code == 0, done.err
    found = pl.read_csv(tmp_path / "a.csv")
    assert found.columns == ["sample", "path", "predicted", "trained_on"]
    truth = np.arange(48.0)
    assert abs(found["predicted"].mean() - truth.mean()) < 12  # an untrained head gives the mean of the labels


def test_a_model_is_exported_whole_or_its_encoder_alone(samples: Path, toys: Domain, cli: Any, tmp_path: Path) -> None:
    run = fine_tuned(toys, samples, tmp_path / "run", "kind")
    done = cli("toy", "export", run.folder, tmp_path / "model", "--part", "model")
    assert (done.code, done.out) == (0, f"exported → {tmp_path / 'model'} (loaded back, same answers)\n")
    done = cli("toy", "export", run.folder, tmp_path / "encoder")
    assert (done.code, done.out) == (0, f"exported → {tmp_path / 'encoder'} (loaded back, same features)\n")
    start = run.folder.with_name("run.start")
    done = cli("toy", "export", start, tmp_path / "none", "--part", "model")
    assert (done.code, "not trained with labels" in done.err) == (2, True)
    done = cli("toy", "export", run.folder, tmp_path / "none", "--part", "head")
    assert done.code == 2


def test_an_interrupted_command_leaves_nothing(
    samples: Path, toys: Domain, cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ssl_domains.finetuning import FineTuned

    run = fine_tuned(toys, samples, tmp_path / "run", "kind")
    before = {path.name for path in tmp_path.iterdir()}

    def interrupted(*_: Any, **__: Any) -> Any:
        assert (tmp_path / ".predicting-a.csv" / "samples.store").is_dir()
        raise KeyboardInterrupt

    monkeypatch.setattr(FineTuned, "answers", interrupted)
    assert cli("toy", "predict", run.folder, tmp_path / "data", "-o", tmp_path / "a.csv").code == 130
    assert {path.name for path in tmp_path.iterdir()} == before


def test_what_a_killed_prediction_left_is_removed(samples: Path, toys: Domain, cli: Any, tmp_path: Path) -> None:
    run = fine_tuned(toys, samples, tmp_path / "run", "kind")
    left = tmp_path / ".predicting-a.csv"
    left.mkdir()
    (left / "half").write_text("")
    assert cli("toy", "predict", run.folder, tmp_path / "data", "-o", tmp_path / "a.csv").code == 0
    assert not left.exists()


def test_a_run_of_another_domain_is_refused(samples: Path, toys: Domain, cli: Any, tmp_path: Path) -> None:
    run = fine_tuned(toys, samples, tmp_path / "run", "kind")
    done = cli("medical", "predict", run.folder, tmp_path / "data", "-o", tmp_path / "a.csv")
    assert done.code == 2
    assert "was trained on data of toy, not of medical" in done.err
    assert "ssl-domains toy predict" in done.err


def test_masks_are_named_like_their_pictures(plugin: Any, cli: Any, tmp_path: Path) -> None:
    with_masks = (
        toy_source()
        .replace(
            "    def load(self, row):",
            "    def load_mask(self, row):\n        return (self.load(row)[:, :, 0] > 128).astype('uint8') * 4\n\n"
            "    def load_masks(self, path, rows):\n        return [self.load_mask(row) for row in rows]\n\n"
            "    def load(self, row):",
        )
        .replace('"path": str(path), ', '"path": str(path), "mask_path": str(path), ')
    )
    plugin("toy", with_masks)
    assert cli("toy", "demo-data", tmp_path / "data").code == 0
    assert cli("toy", "scan", tmp_path / "data", "-o", tmp_path / "s.parquet").code == 0
    run = fine_tuned(Registry(PluginSettings.of()).domain("toy"), tmp_path / "s.parquet", tmp_path / "run", steps=20)
    done = cli("toy", "predict", run.folder, tmp_path / "data", "-o", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    assert (done.json["files"], done.json["classes"]) == (48, ["4"])
    index = pl.read_csv(tmp_path / "out" / "index.csv")
    assert index["predicted_mask"].to_list() == [f"masks/{number:03d}.png" for number in range(48)]
    masks = [np.asarray(Image.open(tmp_path / "out" / name)) for name in index["predicted_mask"]]
    assert {mask.shape for mask in masks} == {(8, 8)}
    assert set(np.unique(masks)) <= {0, 4}
    assert [int((mask == 4).sum()) for mask in masks] == index["pixels_4"].to_list()
    assert done.json["counts"] == {"4": int((np.stack(masks) == 4).sum())}
    assert json.loads((run.folder / "task.json").read_text())["numbers"] == [4]
