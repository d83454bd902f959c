"""From NIfTI volumes with masks to a dense probe and a report, by the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from ssl_domains.cli.app import app
from ssl_domains.errors import UsageError
from ssl_domains.probes import DenseFit

Write = Callable[..., Path]
FEW = ("train.epochs=1", "train.batch_size=8", "views.size=16", "encoder.name=small_conv", "train.device=cpu")


@pytest.fixture
def volumes(write_nifti: Write, tmp_path: Path) -> Path:
    """Six volumes with a bright ball and a grey one."""
    rng = np.random.default_rng(0)
    for number in range(6):
        shape = rng.integers(12, 18, 3)
        at = np.stack(np.meshgrid(*(np.arange(side) for side in shape), indexing="ij"))
        voxels, labels = rng.normal(0, 0.1, shape), np.zeros(shape, np.uint8)
        for code in (1, 2):
            ball = np.sqrt(((at - rng.integers(4, 9, 3)[:, None, None, None]) ** 2).sum(axis=0)) < 3.5
            voxels[ball], labels[ball] = 3.0 / code, code
        write_nifti(f"in/images/v{number}.nii.gz", voxels.astype(np.float32))
        write_nifti(f"in/labels/v{number}.nii.gz", labels)
    return tmp_path / "in"


def call(*words: Any) -> Any:
    return CliRunner().invoke(app, ["medical", *map(str, words)])


def test_masks_are_probed_and_reported(volumes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssl_domains.evaluation.dense.DenseFit", lambda: DenseFit(steps=40, batch=8))
    samples, run = tmp_path / "s.parquet", tmp_path / "run"
    names = ("--masks", "labels", "--mask-names", "1=bright,2=grey")
    assert call("scan", volumes, "-o", samples, *names, "--split-by", "volume", "--test", 0.34).exit_code == 0
    sets = [word for one in FEW for word in ("--set", one)]
    assert call("pretrain", samples, "--out", run, "--rule", "same('volume')", *sets).exit_code == 0
    done = call("probe", run, "--masks", "--fractions", "0.5,1", "--head", "1x1", "--head", "deeplab", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["evidence"] is False
    assert told["classes"] == ["bright", "grey"]
    assert {(row["arm"], row["probe"], row["fraction"]) for row in told["rows"]} == {
        (arm, head, fraction)
        for arm in ("frozen encoder", "random initialisation")
        for head in ("1×1", "DeepLab")
        for fraction in (0.5, 1.0)
    }
    best = max(row["values"]["mean Dice"] or 0.0 for row in told["rows"])
    assert best > 0.5
    assert all(len(row["per_group"]) == 2 for row in told["rows"])
    assert samples.with_name("s.masks").is_dir()
    assert call("report", run).exit_code == 0
    page = (run / "report.html").read_text()
    assert "Dice bright" in page
    assert "segmentation" in page


@pytest.mark.parametrize(
    "words", [(), ("--label", "a", "--masks"), ("--masks", "--floor", "a"), ("--label", "a", "--head", "1x1")]
)
def test_a_column_or_the_masks(words: tuple[str, ...], tmp_path: Path) -> None:
    done = call("probe", tmp_path / "run", *words)
    assert done.exit_code != 0
    assert type(done.exception).__name__ in ("UsageError", "SystemExit")


def test_a_table_without_masks_gets_the_command_that_scans_them(volumes: Path, tmp_path: Path) -> None:
    samples, run = tmp_path / "s.parquet", tmp_path / "run"
    split = ("--split-by", "volume", "--test", 0.34, "--seed", 3)
    assert call("scan", volumes / "images", "-o", samples, *split).exit_code == 0
    sets = [word for one in FEW for word in ("--set", one)]
    assert call("pretrain", samples, "--out", run, *sets).exit_code == 0
    hint = "ssl-domains medical scan SOURCE -o SAMPLES2 --masks FOLDER --split-by volume --test 0.34 --seed 3"
    for words in (("probe", run, "--masks"), ("finetune", samples, "--from", run, "--masks", "--out", tmp_path / "r")):
        with pytest.raises(UsageError, match="the sample table names no masks") as caught:
            raise call(*words).exception
        assert caught.value.hint == hint
