"""``torchrun -m ssl_domains …``: two processes train what one trains, speak with one voice and end together."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ssl_domains.engine import Run

# An encoder and a head without BatchNorm, so that the number of processes changes nothing but the order of sums; SGD,
# as AdamW makes steps of full length of what rounding leaves of a gradient that is 0 (the bias of attention's keys).
SMALL = {
    "train.batch_size": 12, "train.max_steps": 6, "train.checkpoint_every_steps": 2, "train.keep": 9,
    "train.optimizer": "sgd", "train.lr": 0.1, "train.warmup_epochs": 0,
    "train.device": "cpu", "head.layers": 1, "head.out": 8, "method.learnable_temperature": "true",
}  # fmt: skip
TIMEOUT = 300

pytestmark = pytest.mark.slow


def _words(source: Path, out: Path, *more: str, **sets: Any) -> list[str]:
    values = {**SMALL, **{name.replace("__", "."): value for name, value in sets.items()}}
    options = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    encoder = ["--encoder", "test_vit", "--pairs", "patient"]
    return ["toy", "pretrain", str(source), "--out", str(out), *encoder, *options, *more]


@pytest.fixture
def torchrun(toy: Path) -> Iterator[Callable[[list[str]], subprocess.Popen[str]]]:
    """Starts a command line in two processes; ends what is still running after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(words: list[str]) -> subprocess.Popen[str]:
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        environment = {**os.environ, "PYTHONPATH": str(toy), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen([*launcher, "-m", "ssl_domains", *words], env=environment, **pipes)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


@pytest.fixture
def source(toy: Path, cli: Callable[..., Any], tmp_path: Path) -> Path:
    assert cli("toy", "demo-data", tmp_path / "data").code == 0
    return tmp_path / "data"


def _weights(run: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = Run.open(run).checkpoints.load()["method"]
    return weights


def _close(found: Path, expected: Path) -> None:
    one, other = _weights(found), _weights(expected)
    assert one.keys() == other.keys()
    for name, value in other.items():
        torch.testing.assert_close(one[name], value, rtol=1e-3, atol=1e-5, msg=name)


def _moved(run: Path) -> bool:
    trained, start = _weights(run), Run.open(run).untrained_encoder().state_dict()
    return any(bool((trained[f"encoder.{name}"] - value).abs().max() > 1e-3) for name, value in start.items())


def test_two_processes_train_what_one_trains_and_one_goes_on(
    source: Path, torchrun: Callable[..., Any], cli: Callable[..., Any], tmp_path: Path
) -> None:
    process = torchrun(_words(source, tmp_path / "two"))
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, err
    # Scanned and decoded once, told once.
    for line in ("samples scanned to", "pairs: 1*same('patient')", "run: "):
        assert out.count(line) == 1, out
    assert err.count("training on 48 samples") == 1, err
    assert "Traceback" not in err
    assert Run.open(tmp_path / "two").environment["processes"] == 2

    alone = cli(*_words(source, tmp_path / "one"))
    assert alone.code == 0, alone.err
    _close(tmp_path / "two", tmp_path / "one")
    assert _moved(tmp_path / "one")
    losses = [[line["loss"] for line in Run.open(tmp_path / name).metrics()] for name in ("two", "one")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)

    shutil.copytree(tmp_path / "two", tmp_path / "on")
    for path in Run(tmp_path / "on").checkpoints.paths()[2:]:
        path.unlink()
    assert Run.open(tmp_path / "on").step == 2
    samples = tmp_path / "two.samples.parquet"
    resumed = cli("toy", "pretrain", samples, "--out", tmp_path / "on", "--resume")
    assert resumed.code == 0, resumed.err
    assert Run.open(tmp_path / "on").step == 6
    _close(tmp_path / "on", tmp_path / "one")


def test_two_processes_fine_tune_what_one_fine_tunes_and_print_one_report(
    samples: Path, torchrun: Callable[..., Any], cli: Callable[..., Any], tmp_path: Path
) -> None:
    trained = cli(*_words(samples, tmp_path / "run"))
    assert trained.code == 0, trained.err

    def words(out: str) -> list[str]:
        sets = {"train.max_steps": 4, "train.batch_size": 8, "train.optimizer": "sgd", "train.device": "cpu"}
        options = [word for name, value in sets.items() for word in ("--set", f"{name}={value}")]
        start = ["--from", str(tmp_path / "run"), "--label", "kind", "--draws", "1"]
        return ["toy", "finetune", str(samples), *start, "--out", str(tmp_path / out), *options]

    process = torchrun(words("two"))
    out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, err
    assert out.count("Fine-tuning for 'kind'") == 1, out
    assert err.count("[1/5] fine-tuned, 9 labelled groups, draw 0: balanced accuracy") == 1, err
    assert "Traceback" not in err

    alone = cli(*words("one"))
    assert alone.code == 0, alone.err
    _close(tmp_path / "two", tmp_path / "one")
    rows = [json.loads((tmp_path / name / "finetune-kind.json").read_text())["rows"] for name in ("two", "one")]
    assert [row["arm"] for row in rows[0]] == [row["arm"] for row in rows[1]]
    assert len(rows[0]) == 4
    losses = [[line["loss"] for line in Run.open(tmp_path / name).metrics()] for name in ("two", "one")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_failure_is_told_once(source: Path, torchrun: Callable[..., Any], tmp_path: Path) -> None:
    process = torchrun(_words(source, tmp_path / "run", train__batch_size=11))
    _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode != 0
    assert err.count("per_group 2 does not divide a batch of 11") == 1, err
    # torchrun tells how its processes ended: the exit code of a usage error.
    assert re.search(r"exitcode\s*:\s*2\b", err)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_keep_one_checkpoint_of_the_step_they_reached(
    source: Path, torchrun: Callable[..., Any], tmp_path: Path, number: signal.Signals
) -> None:
    many = {"train__max_steps": 10**6, "train__epochs": 10**6, "train__checkpoint_every_steps": 10**6}
    process = torchrun(_words(source, tmp_path / "run", health__every_steps=1, **many))
    watchdog = threading.Timer(TIMEOUT, process.terminate)
    watchdog.start()
    said = ""
    for line in process.stderr:
        said += line
        if line.startswith("step 3 "):
            break
    process.send_signal(number)
    said += process.stderr.read()
    process.wait(timeout=TIMEOUT)
    watchdog.cancel()
    assert process.returncode != 0
    assert said.count("interrupted") == 1, said
    first, last = Run(tmp_path / "run").checkpoints.paths()
    assert first.name == "step-00000000.pt"
    assert Run.open(tmp_path / "run").step == int(last.stem.removeprefix("step-")) >= 3
