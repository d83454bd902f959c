"""Pretext tasks and SupCon from the command line: two steps on pictures and signals, refusals, kill and resume."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
import torch

import killed_command
from ssl_domains.engine import Run

SMALL = tuple(
    word
    for value in ("train.batch_size=12", "train.device=cpu", "train.warmup_epochs=0", "train.checkpoint_every_steps=2")
    for word in ("--set", value)
)
TWO_STEPS = (*SMALL, "--set", "train.max_steps=2", "--set", "head.hidden=16", "--set", "head.out=8")
CLUSTERS = ("--method", "deep_cluster", "--set", "method.clusters=5")


@pytest.fixture
def tones(plugin, cli, tmp_path):
    plugin("tone", "from tone_domain import *\n", app=None)
    table = tmp_path / "tones.parquet"
    assert cli("tone", "demo-data", tmp_path / "tones").code == 0
    words = ("tone", "scan", tmp_path / "tones", "-o", table, "--split-by", "person", "--test", "0.25")
    assert cli(*words).code == 0
    return table


PICTURES = [
    ("--method", "rotation"),
    ("--method", "rotation", "--set", 'method.transforms=["identity", "polarity"]'),
    ("--method", "masked", "--encoder", "small_vit"),
    ("--method", "masked", "--encoder", "small_vit", "--set", "method.form=mae", "--set", "method.ratio=0.75"),
    CLUSTERS,
    ("--method", "supcon", "--rule", "same('kind')"),
]


@pytest.mark.parametrize("words", PICTURES, ids=lambda words: words[1] + words[-1])
def test_two_steps_on_pictures(samples, cli, tmp_path, words):
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", *TWO_STEPS, *words)
    assert done.code == 0, done.err
    run = Run.open(tmp_path / "run")
    assert run.step == 2
    assert run.config.method.name == words[1]
    said = "supcon" not in words and "reads no pairs" in done.out + done.err
    assert said or "pairs: same('kind')" in done.out + done.err


SIGNALS = [
    ("--method", "rotation", "--set", 'method.transforms=["identity", "time_reversal", "pitch_up"]'),
    ("--method", "masked", "--set", "method.ratio=0.5"),
    CLUSTERS,
    ("--method", "supcon", "--rule", "same('person')"),
]


@pytest.mark.parametrize("words", SIGNALS, ids=lambda words: words[1])
def test_two_steps_on_signals(tones, cli, tmp_path, words):
    done = cli("tone", "pretrain", tones, "--out", tmp_path / "run", *TWO_STEPS, *words)
    assert done.code == 0, done.err
    assert Run.open(tmp_path / "run").step == 2


SLICES = {
    'version = "1"': 'version = "1"\n    columns = ("height",)',
    'return np.load(row["path"])': 'return np.load(row["path"])[int(row.get("height", 0)) % 3]',
    "(8, 8, 1)": "(3, 8, 8, 1)",
}
"""Changes to the domain of toys: its pictures are slices of volumes of three."""


@pytest.mark.parametrize("words", [PICTURES[0], PICTURES[2], CLUSTERS], ids=lambda words: words[1])
def test_two_steps_on_slices_of_volumes(toy, cli, tmp_path, words):
    file = toy / "toyplugin_toy.py"
    source = file.read_text()
    for old, new in SLICES.items():
        assert old in source
        source = source.replace(old, new)
    file.write_text(source)
    table = tmp_path / "samples.parquet"
    assert cli("toy", "demo-data", tmp_path / "data").code == 0
    assert cli("toy", "scan", tmp_path / "data", "-o", table).code == 0
    done = cli("toy", "pretrain", table, "--out", tmp_path / "run", *TWO_STEPS, *words)
    assert done.code == 0, done.err
    assert Run.open(tmp_path / "run").step == 2


MISTAKES = [
    (("--method", "supcon"), "the method 'supcon' needs a rule: without one its loss is that of simclr"),
    (("--method", "supcon", "--rule", "same('kind')", "--relations", "none"), "'supcon' needs a rule"),
    (("--method", "rotation", "--rule", "same('kind')"), "'rotation' reads no pairs"),
    (("--method", "rotation", "--set", 'method.transforms=["identity", "rotat_90"]'), "no transform 'rotat_90'"),
    (("--method", "rotation", "--set", 'method.transforms=["identity"]'), "at least 2"),
    (("--method", "rotation", "--set", 'method.transforms=["identity", "identity"]'), "named twice"),
    (("--method", "rotation", "--set", 'method.transforms=["identity", "pitch_up"]'), "whose length may differ"),
    (("--method", "masked"), "takes a plain ViT of timm, not 'small_conv'"),
    (("--method", "masked", "--encoder", "small_vit", "--set", "views.size=36"), "8 pixels don't fill pictures of 36"),
    (("--method", "masked", "--encoder", "small_vit", "--set", "method.ratio=1.0"), "less than 1"),
    (("--method", "masked", "--encoder", "small_vit", "--set", "method.block=3"), "squares of 3 patches don't divide"),
    (("--method", "deep_cluster"), "100 clusters for 36 training samples"),
    (("--method", "deep_cluster", "--set", "method.clusters=1"), "greater than or equal to 2"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "cause"), MISTAKES)
def test_what_cannot_be_trained_is_one_line_and_a_hint(samples, cli, tmp_path, words, cause):
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", *TWO_STEPS, *words)
    assert done.code == 2, done.err
    line, hint = [one for one in done.err.splitlines() if one.startswith(("error", "hint"))]
    assert cause in line
    assert len(hint) > len("hint: ")


def test_rotations_of_signals_are_refused(tones, cli, tmp_path):
    done = cli("tone", "pretrain", tones, "--out", tmp_path / "run", *TWO_STEPS, "--method", "rotation")
    assert done.code == 2
    assert "the transform 'rotate_90' doesn't fit inputs of kind 'wave'" in done.err
    assert "time_reversal" in done.err


@pytest.mark.slow
def test_deep_cluster_killed_and_resumed_equals_left_alone(samples, toy, cli, tmp_path):
    steps = (*SMALL, *CLUSTERS, "--set", "train.epochs=4", "--set", "train.keep=9")
    left_alone, killed = tmp_path / "alone", tmp_path / "killed"
    assert cli("toy", "pretrain", samples, "--out", left_alone, *steps).code == 0
    paths = os.pathsep.join([str(toy), *(path for path in sys.path if path)])
    words = [sys.executable, killed_command.__file__, "4", "toy", "pretrain", str(samples), "--out", str(killed)]
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run([*words, *steps], env=environment, capture_output=True, text=True, timeout=600)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert Run.open(killed).step == 4  # the second step of the second epoch, whose pseudo-labels the checkpoint holds
    done = cli("toy", "pretrain", samples, "--out", killed, *steps, "--resume")
    assert done.code == 0, done.err
    one, other = (Run.open(folder).checkpoints.load() for folder in (killed, left_alone))
    assert one["step"] == other["step"] == 12
    assert one["method"].keys() == other["method"].keys()
    assert all(torch.equal(one["method"][name], other["method"][name]) for name in one["method"])
    assert int(one["method"]["refreshes"]) == 4
    assert len(one["method"]["labels"]) == 36
