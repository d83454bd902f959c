"""Every command works for a domain of signals, whose plugin names no commands of its own."""

from __future__ import annotations

import json
import sys

import numpy as np
import polars as pl
import pytest
import torch

from ssl_domains.engine import Run

SMALL = tuple(
    word
    for value in ("train.batch_size=12", "train.device=cpu", "head.hidden=16", "head.out=8", "train.warmup_epochs=0")
    for word in ("--set", value)
)


@pytest.fixture
def tone(plugin):
    return plugin("tone", "from tone_domain import *\n", app=None)


@pytest.fixture
def tones(tone, cli, tmp_path):
    table = tmp_path / "samples.parquet"
    assert cli("tone", "demo-data", tmp_path / "data").code == 0
    done = cli("tone", "scan", tmp_path / "data", "-o", table, "--split-by", "person", "--test", "0.25")
    assert done.code == 0, done.err
    return table


@pytest.fixture
def trained(tones, cli, tmp_path):
    done = cli("tone", "pretrain", tones, "--pairs", "person", "--out", tmp_path / "run", *SMALL,
               "--set", "train.epochs=2")  # fmt: skip
    assert done.code == 0, done.err
    return tmp_path / "run"


def test_help_names_the_domain_and_its_commands(tone, cli):
    assert "about tone" in cli("--help").out
    assert "toyplugin_tone" not in sys.modules
    commands = cli("tone", "--help")
    assert commands.code == 0
    assert all(name in commands.out for name in ("scan", "pairs", "pretrain", "embed", "probe", "study", "export"))


def test_a_broken_plugin_without_commands_is_an_error_of_the_plugin(plugin, cli):
    plugin("tone", "raise RuntimeError('no sound')", app=None)
    done = cli("tone", "pairs", "samples.parquet", "--rule", "same('person')")
    assert done.code == 3
    assert "RuntimeError: no sound" in done.err


def test_a_plugin_without_a_domain_has_no_commands(plugin, cli):
    plugin("extras", "", app=None)
    done = cli("extras", "scan")
    assert done.code == 2
    assert "brings no domain 'extras'" in done.err
    assert "plugins check extras" in done.err


@pytest.mark.parametrize("key", ["views.size=32", "views.canvas=fit"])
@pytest.mark.parametrize("command", ["pairs", "pretrain"])
def test_settings_of_pictures_are_refused(tones, cli, tmp_path, key, command):
    out = ("--out", tmp_path / "run") if command == "pretrain" else ()
    done = cli("tone", command, tones, "--pairs", "person", *out, "--set", key)
    assert done.code == 2
    assert f"the domain tone has no setting {key.partition('=')[0]}" in done.err
    assert not (tmp_path / "run").exists()


def test_channels_that_the_inputs_do_not_have_are_refused(tones, cli, tmp_path):
    done = cli("tone", "pretrain", tones, "--pairs", "person", "--out", tmp_path / "run", *SMALL,
               "--set", "encoder.in_chans=3")  # fmt: skip
    assert done.code == 2
    assert "the domain's inputs have 2 channels" in done.err


def test_an_encoder_of_pictures_is_refused(tones, cli, tmp_path):
    done = cli("tone", "pretrain", tones, "--pairs", "person", "--out", tmp_path / "run", *SMALL,
               "--encoder", "resnet18")  # fmt: skip
    assert done.code == 2
    assert "takes inputs of two sides" in done.err


def test_the_sheet_shows_lines_and_the_configuration_no_canvas(tones, trained, cli, tmp_path):
    page = tmp_path / "pairs.html"
    done = cli("tone", "pairs", tones, "--rule", "same('person')", "--label", "high", "--html", page, "--run", trained)
    assert done.code == 0, done.err
    assert "data:image" in page.read_text(encoding="utf-8")
    assert "the encoder" in page.read_text(encoding="utf-8")
    run = Run.open(trained)
    assert run.config.views.size is None
    assert run.config.views.canvas is None
    assert run.config.encoder.in_chans == 2
    assert run.preprocess.spec.space == (None,)
    assert run.recipe["steps"][0]["name"] == "crop"


def test_a_dry_run_writes_nothing(tones, cli, tmp_path):
    done = cli("tone", "pretrain", tones, "--pairs", "person", "--out", tmp_path / "dry", *SMALL, "--dry-run")
    assert done.code == 0, done.err
    assert "27" in done.out
    assert not (tmp_path / "dry").exists()


def test_a_run_that_goes_on_is_the_run_that_was_not_interrupted(tones, trained, cli, tmp_path):
    words = ("tone", "pretrain", tones, "--out", tmp_path / "parts", "--pairs", "person", *SMALL)
    steps = ("--set", "train.epochs=2", "--set", "train.checkpoint_every_steps=1", "--set", "train.keep=9")
    assert cli(*words, *steps).code == 0
    checkpoints = Run.open(tmp_path / "parts").checkpoints
    for path in checkpoints.paths()[2:]:
        path.unlink()
    done = cli(*words, *steps, "--resume")
    assert done.code == 0, done.err
    one, other = (Run.open(folder).checkpoints.load()["method"] for folder in (tmp_path / "parts", trained))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_embed_probe_report_and_export(tones, trained, cli, tmp_path):
    done = cli("tone", "embed", trained, tones, "-o", tmp_path / "e.parquet")
    assert done.code == 0, done.err
    assert len(pl.read_parquet(tmp_path / "e.parquet")) == 36
    done = cli("tone", "probe", trained, "--label", "high", "--json")
    assert done.code == 0, done.err
    arms = {row["arm"] for row in done.json["rows"]}
    assert arms == {"frozen encoder", "random initialisation", "length alone (length)"}
    assert done.json["evidence"] is False
    masks = cli("tone", "probe", trained, "--masks")
    assert masks.code == 2
    assert "--masks is for pictures with label masks, and the reader of tone reads none" in masks.err
    assert cli("tone", "report", trained).code == 0
    page = (trained / "report.html").read_text(encoding="utf-8")
    assert "any length, 2 channels" in page
    assert "views.size" not in page

    refused = cli("tone", "export", trained, tmp_path / "timm")
    assert refused.code == 2
    assert "--format safetensors" in refused.err
    onnx = cli("tone", "export", trained, tmp_path / "onnx", "--format", "onnx")
    assert onnx.code == 2
    assert "the format 'onnx' can't hold the encoder 'conv1d'" in onnx.err
    assert "--format safetensors" in onnx.err
    done = cli("tone", "export", trained, tmp_path / "out", "--format", "safetensors")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "out" / "preprocess.json").read_text())["channels"] == 2


FITTED = """
from dataclasses import replace

from tone_domain import TONES, fitted, ssl_domains_pair_samplers

def ssl_domains_domains():
    return [replace(TONES, preprocess=fitted)]
"""


def test_a_preprocess_is_fitted_on_the_training_rows_alone(plugin, cli, tmp_path):
    plugin("tone", FITTED, app=None)
    data, table = tmp_path / "data", tmp_path / "samples.parquet"
    assert cli("tone", "demo-data", data).code == 0
    loud = data / "100.npy"
    np.save(loud, 1000 * np.load(data / "000.npy"))
    assert cli("tone", "scan", data, "-o", table).code == 0
    frame = pl.read_parquet(table)
    side = pl.when(pl.col("sample") == "100").then(pl.lit("test")).otherwise(pl.lit("train")).alias("split")
    frame.with_columns(side).write_parquet(tmp_path / "split.parquet")
    done = cli("tone", "pretrain", tmp_path / "split.parquet", "--rule", "same('person')", "--out", tmp_path / "run",
               *SMALL, "--set", "train.max_steps=1")  # fmt: skip
    assert done.code == 0, done.err
    largest = max(float(np.abs(np.load(data / f"{name}.npy")).max()) for name in frame["sample"] if name != "100")
    preprocess = Run.open(tmp_path / "run").preprocess
    assert preprocess.level == "fixed"
    assert preprocess.scale == pytest.approx(largest, rel=1e-12)
    assert float(preprocess(np.load(loud)).values.abs().max()) > 100


STUDY = """
name = "tones"
title = "Tones"
about = "Simulated. Nothing is claimed."
samples = "{samples}"
label = "high"
group = "person"
folds = 2
seeds = 1
fractions = [1.0]
tuning = 0.4

[config.train]
max_steps = 1
batch_size = 12
[config.head]
hidden = 16
out = 8

[arms.person]
pairs = "person"

[primary]
arm = "person"
fraction = 1.0
"""


@pytest.mark.slow
def test_a_study_compares_arms_floors_and_hand_made_features(tones, cli, tmp_path):
    file = tmp_path / "STUDY.toml"
    file.write_text(STUDY.format(samples=tones), encoding="utf-8")
    words = ("tone", "study", file, "--out", tmp_path / "out", "--jobs", "1")
    done = cli(*words)
    assert done.code == 0, done.err
    for arm in ("random", "supervised", "simclr", "person", "length alone", "peak"):
        assert arm in done.out
    page = (tmp_path / "out" / "page" / "tones.md").read_text(encoding="utf-8")
    assert "conv1d on inputs of any length" in page
    again = cli(*words)
    assert again.code == 0, again.err
    assert "simclr (fold 0, seed 0)" not in again.err  # the preprocess is part of the identity of a cell, and unchanged
    file.write_text(file.read_text().replace('fraction = 1.0', 'fraction = 1.0\nprobe = "dense"', 1).replace(
        "tuning = 0.4", 'tuning = 0.4\nprobes = ["dense"]'))  # fmt: skip
    dense = cli(*words)
    assert dense.code == 2
    assert "the dense probe is for pictures with label masks, and the reader of tone reads none" in dense.err


@pytest.mark.slow
def test_two_processes_train_one_run(tones, tone, tmp_path):
    import os
    import subprocess

    paths = [str(tone), *(path for path in sys.path if path)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
    }
    words = ["tone", "pretrain", str(tones), "--pairs", "person", "--out", str(tmp_path / "two"), *SMALL,
             "--set", "train.max_steps=2"]  # fmt: skip
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launcher, "-m", "ssl_domains", *words], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert Run.open(tmp_path / "two").step == 2


CROPPED = """
from dataclasses import replace
import tone_domain as tones
from ssl_domains.views import RandomCrop


def ssl_domains_domains():
    def recipe(request):
        return replace(tones.recipe(request), crop=RandomCrop(40, emitted="from_s", spacing=0.5))

    return [replace(tones.TONES, recipe=recipe)]
"""


def test_views_are_crops_that_a_rule_reads_and_features_are_averaged_over_tiles(plugin, cli, tmp_path):
    plugin("tone", CROPPED, app=None)
    table, run = tmp_path / "samples.parquet", tmp_path / "run"
    cli("tone", "demo-data", tmp_path / "data")
    assert cli("tone", "scan", tmp_path / "data", "-o", table).code == 0
    done = cli("tone", "pretrain", table, "--rule", "same('person') & within('from_s', 20)", "--out", run, *SMALL,
               "--set", "train.max_steps=3", "--set", "data.workers=1")  # fmt: skip
    assert done.code == 0, done.err
    assert Run.open(run).recipe["crop"] == {
        "name": "random", "sides": [40], "emitted": ["from_s"], "spacing": [0.5], "origin": [0.0], "shared": False
    }  # fmt: skip
    frames = []
    for name, flags in (("whole", ()), ("tiles", ("--tile",))):
        done = cli("tone", "embed", run, table, "-o", tmp_path / f"{name}.parquet", *flags)
        assert done.code == 0, done.err
        frames.append(pl.read_parquet(tmp_path / f"{name}.parquet")["embedding"].to_numpy())
    encoder = Run.open(run).encoder().eval()
    preprocess = Run.open(run).preprocess
    for row, sample in enumerate(pl.read_parquet(table)["sample"].to_list()[:4]):
        tone = np.load(tmp_path / "data" / f"{sample}.npy")
        starts = sorted({*range(0, len(tone) - 40, 40), len(tone) - 40})
        with torch.no_grad():
            whole = encoder(preprocess(tone).values).pooled[0]
            tiles = torch.stack([encoder(preprocess(tone[at : at + 40]).values).pooled[0] for at in starts]).mean(0)
        np.testing.assert_allclose(frames[0][row], whole.numpy(), atol=1e-4)
        np.testing.assert_allclose(frames[1][row], tiles.numpy(), atol=1e-4)
