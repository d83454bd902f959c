"""Momentum and negative-free methods from the command line: two steps, a killed run, and options that don't fit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

import killed_command
from ssl_domains.engine import Run

METHODS = ("moco", "byol", "simsiam", "barlow_twins", "vicreg", "swav", "dino")
SMALL = tuple(
    word
    for value in ("train.batch_size=12", "train.device=cpu", "head.hidden=16", "head.out=8", "train.max_steps=2")
    for word in ("--set", value)
)


CROP = {
    'ViewRecipe((Noise(reason="toys are noisy"),)': (
        'ViewRecipe((RandomResizedCrop(reason="toys move"), Noise(reason="toys are noisy"))'
    ),
    "import Noise": "import Noise, RandomResizedCrop",
}
SLICES = {
    'version = "1"': 'version = "1"\n    columns = ("height",)',
    'return np.load(row["path"])': 'return np.load(row["path"])[int(row.get("height", 0)) % 3]',
    "(8, 8, 1)": "(3, 8, 8, 1)",
}


def rewrite(site: Path, changes: Mapping[str, str]) -> None:
    """Change the source of the domain of toys before it is imported."""
    file = site / "toyplugin_toy.py"
    source = file.read_text()
    for old, new in changes.items():
        assert old in source
        source = source.replace(old, new)
    file.write_text(source)


@pytest.fixture
def toy(toy: Path) -> Path:
    """Toys whose recipe has a crop, so that there are local views."""
    rewrite(toy, CROP)
    return toy


@pytest.mark.parametrize("method", [*METHODS, "moco --set method.form=v3"])
def test_two_steps_on_pictures(samples: Path, cli: Any, tmp_path: Path, method: str) -> None:
    rule = ("--pairs", "patient") if method.split()[0] in ("moco", "byol") else ()
    out = tmp_path / "run"
    done = cli("toy", "pretrain", samples, "--out", out, "--method", *method.split(), *rule, *SMALL)
    assert done.code == 0, done.err
    run = Run.open(out)
    assert run.step == 2
    assert run.config.views.n == (8 if method in ("swav", "dino") else 2)
    assert all(torch.isfinite(torch.tensor(row["loss"])) for row in run.metrics())


def test_a_run_of_multi_crop_is_reported_and_exported(samples: Path, cli: Any, tmp_path: Path) -> None:
    out, exported = tmp_path / "run", tmp_path / "exported"
    words = ("toy", "pretrain", samples, "--out", out, "--method", "dino", *SMALL)
    done = cli(*words, "--set", "method.local_views=1", "--set", "method.local_size=12")
    assert done.code == 0, done.err
    variants = [(one["name"], one["views"], one["size"]) for one in Run.open(out).recipe["variants"]]
    assert variants == [("global", 2, 32), ("local", 1, 12)]
    assert cli("toy", "report", out).code == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "crop (2 global views)" in page
    assert "noise (1 local view)" in page
    again = cli(*words, "--set", "method.local_views=1", "--set", "method.local_size=12", "--resume")
    assert again.code == 0, again.err
    done = cli("toy", "export", out, exported, "--format", "safetensors")
    assert done.code == 0, done.err
    card = (exported / "README.md").read_text(encoding="utf-8")
    assert card.count("- crop: toys move") == 1
    assert card.count("- noise: toys are noisy") == 1


@pytest.mark.parametrize("method", ["byol", "barlow_twins", "dino"])
def test_two_steps_on_slices_of_volumes(toy: Path, cli: Any, tmp_path: Path, method: str) -> None:
    rewrite(toy, SLICES)
    table = tmp_path / "samples.parquet"
    assert cli("toy", "demo-data", tmp_path / "data").code == 0
    assert cli("toy", "scan", tmp_path / "data", "-o", table).code == 0
    done = cli("toy", "pretrain", table, "--out", tmp_path / "run", "--method", method, *SMALL)
    assert done.code == 0, done.err
    assert Run.open(tmp_path / "run").step == 2


@pytest.mark.parametrize("method", ["moco", "byol", "vicreg", "swav"])
def test_two_steps_on_signals(plugin: Callable[..., Path], cli: Any, tmp_path: Path, method: str) -> None:
    plugin("tone", "from tone_domain import *\n", app=None)
    table = tmp_path / "samples.parquet"
    assert cli("tone", "demo-data", tmp_path / "data").code == 0
    assert cli("tone", "scan", tmp_path / "data", "-o", table).code == 0
    done = cli("tone", "pretrain", table, "--out", tmp_path / "run", "--method", method, *SMALL)
    assert done.code == 0, done.err
    assert Run.open(tmp_path / "run").step == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "holds"),
    [
        ("simclr", {"head.0.weight"}),
        ("moco", {"queue.keys", "queue.sample", "queue.next", "key_head.0.weight"}),
        ("swav", {"prototypes.weight", "prototypes.steps", "queues.1.keys"}),
    ],
)
def test_killed_and_resumed_is_the_run_left_alone(
    samples: Path, toy: Path, cli: Any, tmp_path: Path, method: str, holds: set[str]
) -> None:
    sets = ("train.max_steps=6", "train.checkpoint_every_steps=2", *_few(method))
    settings = [word for value in sets for word in ("--set", value)]
    words = ["toy", "pretrain", str(samples), "--method", method, *SMALL, *settings, "--out"]
    alone, out = tmp_path / "alone", tmp_path / "run"
    assert cli(*words, alone).code == 0
    threads = str(torch.get_num_threads())  # as in this process: sums of several threads have other bits
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(toy), *sys.path]), "OMP_NUM_THREADS": threads}
    command = [sys.executable, killed_command.__file__, "3", *words, str(out)]
    child = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    assert Run.open(out).step == 2
    done = cli(*words, out, "--resume")
    assert done.code == 0, done.err
    one, other = (Run.open(folder).checkpoints.load()["method"] for folder in (out, alone))
    assert holds <= one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def _few(method: str) -> tuple[str, ...]:
    few = {"moco": ("method.queue=20",), "swav": ("method.queue=20", "method.local_views=1", "method.freeze_steps=3")}
    return few.get(method, ())


@pytest.mark.parametrize(
    ("method", "setting", "words"),
    [
        ("moco", "method.queue=37", "the queue of 37 keys is longer than the table of 36 training samples"),
        ("moco", "method.momentum=1.5", "'method.momentum' is 1.5: input should be less than or equal to 1"),
        ("moco", "method.temperature=0", "'method.temperature' is 0"),
        ("moco", 'method.queue_positives="negative"', "input should be 'positive' or 'ignore'"),
        ("moco", 'method.form="v1"', "input should be 'v2' or 'v3'"),
        ("moco", "views.n=3", "moco takes exactly 2 views of each sample, not 3"),
        ("byol", "method.momentum=-0.1", "greater than or equal to 0"),
        ("byol", 'method.norm="group"', "input should be 'batch', 'layer' or 'none'"),
        ("byol", "views.n=1", "byol takes exactly 2 views"),
        ("simsiam", "method.predictor=0", "greater than or equal to 1"),
        ("barlow_twins", "method.redundancy=-1", "greater than or equal to 0"),
        ("vicreg", "method.variance=inf", "finite"),
        ("swav", "method.prototypes=37", "37 prototypes are more than the 36 training samples"),
        ("swav", "method.queue=37", "the queue of 37 is longer than the table of 36 training samples"),
        ("swav", "method.epsilon=0", "greater than 0"),
        ("swav", "method.iterations=0", "greater than or equal to 1"),
        ("swav", "method.local_size=33", "local crops of 33 pixels are larger than the canvas of 32"),
        ("swav", "method.local_views=-1", "greater than or equal to 0"),
        ("dino", "method.prototypes=37", "37 prototypes are more than the 36 training samples"),
        ("dino", "method.local_size=64", "local crops of 64 pixels are larger than the canvas of 32"),
        ("dino", "method.centre_momentum=2", "less than or equal to 1"),
        ("dino", "views.n=3", "dino takes exactly 8 views of each sample, not 3"),
    ],
)
def test_an_option_that_does_not_fit_is_one_line(
    samples: Path, cli: Any, tmp_path: Path, method: str, setting: str, words: str
) -> None:
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--method", method, *SMALL, "--set", setting)
    assert done.code == 2, done.err
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert words in errors[0]
    assert "hint: " in done.err
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_moco_v3_has_no_queue(samples: Path, cli: Any, tmp_path: Path) -> None:
    sets = ("--set", "method.form=v3", "--set", "method.queue=8")
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--method", "moco", *SMALL, *sets)
    assert done.code == 2
    assert "MoCo of form v3 has no queue" in done.err


@pytest.mark.parametrize("method", ["simsiam", "barlow_twins", "vicreg", "swav", "dino"])
def test_a_rule_is_refused_by_a_method_that_reads_none(samples: Path, cli: Any, tmp_path: Path, method: str) -> None:
    out = tmp_path / "run"
    done = cli("toy", "pretrain", samples, "--out", out, "--method", method, "--pairs", "patient", *SMALL)
    assert done.code == 2
    assert f"the method '{method}' reads no pairs and would ignore the rule" in done.err
    assert "same('patient')" in done.err


def test_a_vit_embeds_local_views_of_whole_patches_only(samples: Path, cli: Any, tmp_path: Path) -> None:
    words = ("toy", "pretrain", samples, "--out", tmp_path / "run", "--method", "dino", *SMALL)
    vit = ("--encoder", "test_vit", "--set", "method.local_views=1")
    refused = cli(*words, *vit, "--set", "method.local_size=20")
    assert refused.code == 2
    assert "local crops of 20 pixels are no multiple of the encoder's patches of 16" in refused.err
    done = cli(*words, *vit)
    assert done.code == 0, done.err
