"""A domain whose preprocess ends on the device, and whose inputs have settings in the section [input]."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import polars as pl
import pytest
import torch

import ssl_domains
from envelope_domain import ENVELOPES, EnvelopePreprocess
from ssl_domains.engine import Run
from ssl_domains.samples import read_table
from ssl_domains.stores import ArrayStore, default_store

SMALL = tuple(
    word
    for value in ("train.batch_size=12", "train.device=cpu", "head.hidden=16", "head.out=8", "train.warmup_epochs=0")
    for word in ("--set", value)
)


@pytest.fixture
def envelopes(plugin, cli, tmp_path):
    plugin("envelope", "from envelope_domain import *\n", app=None)
    table = tmp_path / "samples.parquet"
    assert cli("envelope", "demo-data", tmp_path / "data").code == 0
    done = cli("envelope", "scan", tmp_path / "data", "-o", table, "--split-by", "person", "--test", "0.25")
    assert done.code == 0, done.err
    return table


@pytest.fixture
def pretrain(envelopes, cli, tmp_path):
    def call(name, *sets):
        words = [word for value in ("train.epochs=2", *sets) for word in ("--set", value)]
        return cli("envelope", "pretrain", envelopes, "--pairs", "person", "--out", tmp_path / name, *SMALL, *words)

    return call


def test_the_encoder_gets_what_finish_makes(envelopes, pretrain, cli, tmp_path):
    done = pretrain("run", "input.frame=5")
    assert done.code == 0, done.err
    run = Run.open(tmp_path / "run")
    assert run.preprocess == EnvelopePreprocess(5)
    assert run.config.input.model_dump() == {"form": "envelope", "frame": 5}
    assert tomllib.loads((tmp_path / "run" / "config.toml").read_text())["input"] == {"form": "envelope", "frame": 5}
    assert run.encoder().takes.kind == "envelope"
    done = cli("envelope", "embed", tmp_path / "run", envelopes, "-o", tmp_path / "e.parquet")
    assert done.code == 0, done.err
    features = pl.read_parquet(tmp_path / "e.parquet")["embedding"].to_numpy()
    encoder, preprocess = ssl_domains.load(tmp_path / "run")
    table = read_table(envelopes)
    store = ArrayStore.open(default_store(envelopes))
    for row in (0, 17):
        x = preprocess(store.of(table)[row])
        assert x.kind == "envelope"
        with torch.no_grad():
            alone = encoder(x.values, x.valid).pooled[0].numpy()
        np.testing.assert_allclose(features[row], alone, atol=1e-5)
    assert cli("envelope", "probe", tmp_path / "run", "--label", "high", "--handmade").code == 0
    assert cli("envelope", "report", tmp_path / "run").code == 0
    assert cli("envelope", "export", tmp_path / "run", tmp_path / "out", "--format", "safetensors").code == 0
    about = json.loads((tmp_path / "out" / "preprocess.json").read_text())
    assert about["name"] == "envelope"
    assert about["frame"] == 5


def test_a_recipe_may_finish_in_a_step_or_leave_it_to_the_engine(pretrain, tmp_path):
    for name, extra in (("left", "[]"), ("step", '["in the recipe"]')):
        done = pretrain(name, f"views.extra={extra}")
        assert done.code == 0, done.err
    one, other = (Run.open(tmp_path / name).checkpoints.load()["method"] for name in ("left", "step"))
    assert [step["name"] for step in Run.open(tmp_path / "step").recipe["steps"]] == ["gain", "envelope"]
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_caching_and_resuming_change_nothing(pretrain, cli, envelopes, tmp_path):
    for name, cache in (("cached", "1.0"), ("read", "0.0")):
        assert pretrain(name, f"data.cache_gb={cache}", "train.checkpoint_every_steps=1", "train.keep=9").code == 0
    run = Run.open(tmp_path / "cached")
    whole = run.checkpoints.load()["method"]
    for path in run.checkpoints.paths()[2:]:
        path.unlink()
    done = cli("envelope", "pretrain", envelopes, "--out", tmp_path / "cached", "--resume")
    assert done.code == 0, done.err
    for name in ("cached", "read"):
        other = Run.open(tmp_path / name).checkpoints.load()["method"]
        assert all(torch.equal(whole[key], other[key]) for key in whole)


def test_another_form_is_another_preprocess(pretrain, tmp_path):
    done = pretrain("run", "input.form=wave")
    assert done.code == 0, done.err
    run = Run.open(tmp_path / "run")
    assert run.preprocess.name == "signal"
    assert run.encoder().takes.kind == "wave"


@pytest.mark.parametrize(
    ("value", "cause", "hint"),
    [
        ("input.fram=3", "the domain envelope has no setting 'input.fram'", "did you mean 'frame'?"),
        ("input.frame=0", "configuration key 'input.frame' is 0", "input.frame: samples of a frame"),
        ("input.form=mel", "configuration key 'input.form' is 'mel'", "the waveform itself"),
        ("inputs.frame=3", "unknown configuration key 'inputs.frame'", ""),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_decoded(pretrain, tmp_path, value, cause, hint):
    done = pretrain("run", value)
    assert done.code == 2
    assert cause in done.err
    assert hint in done.err
    assert not (tmp_path / "run").exists()


def test_a_domain_without_settings_refuses_them(toy, samples, cli, tmp_path):
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--set", "input.frame=3")
    assert done.code == 2
    assert "the domain toy has no setting 'input.frame'" in done.err
    assert "it has no settings in [input]" in done.err


def test_a_configuration_without_inputs_has_no_such_section(cli):
    done = cli("config", "show")
    assert done.code == 0
    assert "[input]" not in done.out


def test_the_schema_lists_the_settings_of_a_domain(envelopes, cli):
    schema = cli("config", "schema", "--domain", "envelope").json
    assert set(schema["$defs"]["InputConfig"]["properties"]) == {"form", "frame"}
    assert cli("config", "schema").json["$defs"]["InputConfig"]["properties"] == {}


def test_fine_tuning_keeps_the_inputs_of_the_run(pretrain, envelopes, cli, tmp_path):
    assert pretrain("run", "input.frame=5").code == 0
    words = ("envelope", "finetune", envelopes, "--from", tmp_path / "run", "--label", "high", "--no-scratch")
    steps = ("--set", "train.max_steps=3", "--set", "train.batch_size=8")
    refused = cli(*words, "--out", tmp_path / "other", *steps, "--set", "input.frame=3")
    assert refused.code == 2
    assert "was trained with input.frame = 5, not 3" in refused.err
    done = cli(*words, "--out", tmp_path / "tuned", *steps)
    assert done.code == 0, done.err
    tuned = Run.open(tmp_path / "tuned")
    assert tuned.preprocess == EnvelopePreprocess(5)
    assert tuned.config.input.model_dump() == {"form": "envelope", "frame": 5}


@pytest.mark.parametrize("micro", ["", "train.micro_batch_size=5"])
def test_flagged_views_are_counted_and_warned_of_once(pretrain, envelopes, tmp_path, micro):
    sets = [micro, "train.micro_batch_norm=true"] if micro else []
    done = pretrain("run", 'views.extra=["short"]', "pairs.composition=random", "encoder.name=conv1d", *sets)
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    table = read_table(envelopes)
    short = 2 * 12 * np.mean(table.numbers("length")[table.rows_of("train")] < 100)
    counts = [line["counts"]["short"] for line in lines]
    # An epoch shows 24 of 27 rows, so the mean over its steps is about that of all rows.
    assert np.mean(counts) == pytest.approx(short, abs=4)
    assert all(count % 2 == 0 for count in counts)  # both views of a sample are flagged
    said = done.out + done.err
    assert said.count("views in a step are short") == 1
    assert "of 24 views in a step are short" in said


def test_settings_without_a_preprocess_are_refused():
    from dataclasses import replace

    with pytest.raises(ValueError, match="input_settings= without preprocess="):
        replace(ENVELOPES, preprocess=None, scaling=lambda table: None)


STUDY = """
name = "forms"
title = "Forms of one input"
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
[config.input]
frame = 5

[arms.person]
pairs = "person"

[arms.wave]
pairs = "person"
config = {{"{key}" = "wave"}}

[primary]
arm = "person"
fraction = 1.0
"""


def test_an_arm_with_a_setting_that_the_domain_does_not_have_is_refused_by_name(envelopes, cli, tmp_path):
    file = tmp_path / "STUDY.toml"
    file.write_text(STUDY.format(samples=envelopes, key="input.shape"), encoding="utf-8")
    done = cli("envelope", "study", file, "--out", tmp_path / "out", "--jobs", "1")
    assert done.code == 2
    assert "arm 'wave': the domain envelope has no setting 'input.shape'" in done.err


@pytest.mark.slow
def test_arms_of_a_study_may_have_inputs_of_their_own(envelopes, cli, tmp_path):
    file = tmp_path / "STUDY.toml"
    file.write_text(STUDY.format(samples=envelopes, key="input.form"), encoding="utf-8")
    done = cli("envelope", "study", file, "--out", tmp_path / "out", "--jobs", "1")
    assert done.code == 0, done.err
    made = {path.parent: json.loads(path.read_text()) for path in (tmp_path / "out").rglob("preprocess.json")}
    forms = {"wave" if "wave" in str(folder.relative_to(tmp_path)) else "other": one for folder, one in made.items()}
    assert forms["wave"]["name"] == "signal"
    assert (forms["other"]["name"], forms["other"]["frame"]) == ("envelope", 5)
