"""Methods of mutual information and noise-contrastive estimation from the command line: two steps, a kill, mistakes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import killed_command
from ssl_domains.engine import Run

METHODS = {
    "imax": (),
    "instance_discrimination": ("--pairs", "patient"),
    "instance_discrimination --set method.objective=nce --set method.noise=30": ("--pairs", "patient"),
    "cpc": ("--rule", "same('kind').ignore(same('patient').across_parts())"),
    "deep_infomax": (),
    "deep_infomax --set method.bound=info_nce": (),
    "deep_infomax --set method.bound=dv": (),
}
FEW = tuple(
    word for value in ("train.batch_size=12", "train.device=cpu", "train.max_steps=2") for word in ("--set", value)
)
HEAD = ("--set", "head.hidden=16", "--set", "head.out=8")


def small(method: str) -> tuple[str, ...]:
    """The words of a short training of a small net."""
    return (*FEW, *(("--set", "method.context=8") if method.startswith("cpc") else HEAD))


def two_steps(out: Path) -> None:
    run = Run.open(out)
    assert run.step == 2
    assert all(torch.isfinite(torch.tensor(row["loss"])) for row in run.metrics())


@pytest.mark.parametrize("method", METHODS)
def test_two_steps_on_pictures(samples: Path, cli: Any, tmp_path: Path, method: str) -> None:
    words = ("--method", *method.split(), *METHODS[method], *small(method))
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", *words)
    assert done.code == 0, done.err
    two_steps(tmp_path / "run")
    assert Run.open(tmp_path / "run").config.views.n == (2 if method == "imax" else 1)


@pytest.mark.parametrize("method", ["instance_discrimination", "cpc", "deep_infomax"])
def test_two_steps_on_slices_of_volumes(toy: Path, cli: Any, tmp_path: Path, method: str) -> None:
    file = toy / "toyplugin_toy.py"
    source = file.read_text()
    slices = {
        'version = "1"': 'version = "1"\n    columns = ("height",)',
        'return np.load(row["path"])': 'return np.load(row["path"])[int(row.get("height", 0)) % 3]',
        "(8, 8, 1)": "(3, 8, 8, 1)",
    }
    for old, new in slices.items():
        assert old in source
        source = source.replace(old, new)
    file.write_text(source)
    assert cli("toy", "demo-data", tmp_path / "data").code == 0
    assert cli("toy", "scan", tmp_path / "data", "-o", tmp_path / "samples.parquet").code == 0
    words = ("--out", tmp_path / "run", "--method", method, *small(method))
    done = cli("toy", "pretrain", tmp_path / "samples.parquet", *words)
    assert done.code == 0, done.err
    two_steps(tmp_path / "run")


@pytest.fixture
def tones(plugin: Callable[..., Path], cli: Any, tmp_path: Path) -> Path:
    plugin("tone", "from tone_domain import *\n", app=None)
    assert cli("tone", "demo-data", tmp_path / "data").code == 0
    assert cli("tone", "scan", tmp_path / "data", "-o", tmp_path / "samples.parquet").code == 0
    return tmp_path / "samples.parquet"


@pytest.mark.parametrize("method", ["imax", "instance_discrimination", "cpc", "deep_infomax"])
def test_two_steps_on_signals(tones: Path, cli: Any, tmp_path: Path, method: str) -> None:
    words = ("--out", tmp_path / "run", "--method", method, *small(method))
    done = cli("tone", "pretrain", tones, *words)
    assert done.code == 0, done.err
    two_steps(tmp_path / "run")


def test_patches_of_signals_are_refused(tones: Path, cli: Any, tmp_path: Path) -> None:
    words = ("--out", tmp_path / "run", "--method", "cpc", "--set", "method.patch=8", *FEW)
    done = cli("tone", "pretrain", tones, *words)
    assert done.code == 2
    assert "method.patch and method.stride are for pictures of one size" in done.err


@pytest.mark.parametrize("objective", ["softmax", "nce"])
def test_killed_and_resumed_is_the_run_left_alone(
    samples: Path, toy: Path, cli: Any, tmp_path: Path, objective: str
) -> None:
    sets = (f"method.objective={objective}", "method.noise=30", "train.max_steps=6", "train.checkpoint_every_steps=2")
    words = ["toy", "pretrain", str(samples), "--method", "instance_discrimination", *small("instance_discrimination")]
    words += [word for value in sets for word in ("--set", value)] + ["--pairs", "patient", "--out"]
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
    noise = {"noise.samples", "noise.log_z", "noise.steps"}
    assert {"bank.vectors", *(noise if objective == "nce" else ())} <= one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert one["bank.vectors"].shape == (36, 8)


BANK, PATCH = "instance_discrimination", "cpc"


@pytest.mark.parametrize(
    ("method", "settings", "said", "hint"),
    [
        ("imax", "method.noise=0", "greater than 0", ""),
        ("imax", "views.n=3", "imax takes exactly 2 views of each sample, not 3", "views.n=2"),
        (BANK, "method.momentum=1.5", "'method.momentum' is 1.5: input should be less than 1", ""),
        (BANK, "method.momentum=-0.1", "greater than or equal to 0", ""),
        (BANK, "method.temperature=0", "greater than 0", ""),
        (BANK, 'method.objective="hinge"', "input should be 'softmax' or 'nce'", ""),
        (BANK, "method.noise=0", "greater than or equal to 1", ""),
        (BANK, "method.partition=-1", "greater than 0", ""),
        (BANK, "method.objective=nce", "method.noise is 4096, but the bank has 36 rows", "method.noise=36"),
        (PATCH, "method.steps=0", "greater than or equal to 1", ""),
        (PATCH, "method.steps=7", "cpc predicts 7 places ahead, but its sequences have 7", "method.steps=6"),
        (PATCH, "method.patch=32", "cpc predicts 5 places ahead, but its sequences have 1", "smaller patches"),
        (PATCH, "method.patch=33", "method.patch is 33, but the pictures have sides of 32 and 32", "method.patch=8"),
        (PATCH, "method.patch=1", "greater than or equal to 2", ""),
        (PATCH, "method.stride=0", "greater than or equal to 1", ""),
        (PATCH, "method.context=0", "greater than or equal to 1", ""),
        (PATCH, "method.temperature=inf", "finite", ""),
        (PATCH, "head.out=8 encoder.name=vit_tiny_patch16_224", "can't take inputs of 8 × 8", "convolutional"),
        ("deep_infomax", 'method.bound="mine"', "input should be 'jsd', 'info_nce' or 'dv'", ""),
        ("deep_infomax", "views.size=8", "the map of 'small_conv' has only one for this input", "views.size=64"),
        (
            "deep_infomax",
            "views.size=64 head.layers=0 encoder.name=mobilenetv3_small_050",
            "channels, its pooled",
            "head.layers=1",
        ),
    ],
)
def test_options_that_do_not_fit(
    samples: Path, cli: Any, tmp_path: Path, method: str, settings: str, said: str, hint: str
) -> None:
    sets = [word for value in settings.split() for word in ("--set", value)]
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--method", method, *FEW, *sets)
    assert done.code == 2, done.err
    assert said in done.err
    assert hint in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "run" / "config.toml").exists()


@pytest.mark.parametrize("method", ["imax", "deep_infomax"])
def test_a_rule_that_nothing_reads_is_refused(samples: Path, cli: Any, tmp_path: Path, method: str) -> None:
    words = ("--out", tmp_path / "run", "--method", method, "--pairs", "patient", *small(method))
    done = cli("toy", "pretrain", samples, *words)
    assert done.code == 2
    assert f"the method '{method}' reads no pairs" in done.err
