"""Runs of two networks as they are typed: one network as a run of its own, and the export of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

import ssl_domains
from ssl_domains.cli.app import run as typed
from ssl_domains.encoders import create_encoder
from ssl_domains.engine import Run
from ssl_domains.errors import UsageError
from ssl_domains.evaluation import embed_rows
from ssl_domains.inputs import InputSpec
from ssl_domains.samples import read_table
from ssl_domains.stores import ArrayStore
from ssl_domains.studies import Arm
from ssl_domains.studies.measuring.features import features_of
from ssl_domains_audio.encoders.branch import branch_run
from ssl_domains_audio.reader import AudioReader

from .sound_files import chirp, clip

SMALL = ("--set", "train.batch_size=4", "--set", "train.max_steps=2", "--set", "head.hidden=8", "--set", "head.out=4")


def command(*words: object) -> None:
    assert typed([str(word) for word in words]) == 0, words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve clips of two speakers; ``run`` has the encoder wave+mel, ``mel`` one network."""
    made = tmp_path_factory.mktemp("branch")
    for number in range(12):
        start = 150 + 60 * number
        name = f"{number % 3}_{('anna', 'bert')[number % 2]}_{number}.wav"
        clip(made / "in" / name, chirp(5000 + 300 * (number % 4), start=start, stop=start * 3))
    command("audio", "scan", made / "in", "-o", made / "t.parquet")
    formats = ("--method", "multi_format", "--pairs", "formats", "--encoder", "wave+mel")
    command("audio", "pretrain", made / "t.parquet", *formats, "--set", "input.form=wave+mel", *SMALL, "--out",
            made / "run")  # fmt: skip
    command("audio", "pretrain", made / "t.parquet", *SMALL, "--out", made / "one")
    return made


def recording(folder: Path) -> tuple[Any, dict[str, Any]]:
    row = AudioReader().scan(folder / "in", contents=False).samples.frame.row(0, named=True)
    return AudioReader().load(row), row


@pytest.mark.parametrize("network", ["wave", "mel"])
def test_a_network_gives_the_features_that_it_gave_in_the_pair(network: str, folder: Path, tmp_path: Path) -> None:
    command("audio", "branch", folder / "run", network, "-o", tmp_path / "out")
    both, preprocess = ssl_domains.load(folder / "run")
    alone, own = ssl_domains.load(tmp_path / "out")
    array, row = recording(folder)
    x, y = preprocess(array, row), own(array, row)
    assert y.kind == network
    with torch.no_grad():
        pooled = both(x.values, x.valid).pooled
        expected = pooled[:, : both.branches["wave"].num_features]  # type: ignore[union-attr, index, operator]
        if network == "mel":
            expected = pooled[:, expected.shape[1] :]
        torch.testing.assert_close(alone(y.values, y.valid).pooled, expected)
    opened = Run.open(tmp_path / "out")
    assert opened.training_samples == Run.open(folder / "run").training_samples
    assert json.loads((tmp_path / "out" / "branch.json").read_text()) == {"run": "run", "network": network}


def test_the_commands_take_it(folder: Path, tmp_path: Path) -> None:
    command("audio", "branch", folder / "run", "mel", "-o", tmp_path / "out")
    table = ("--samples", folder / "t.parquet")
    command("audio", "embed", tmp_path / "out", folder / "t.parquet", "-o", tmp_path / "e.parquet")
    command("audio", "probe", tmp_path / "out", *table, "--label", "label", "--folds", "2", "--group", "sample")
    command("audio", "export", tmp_path / "out", tmp_path / "export", "--format", "safetensors")
    assert (tmp_path / "export" / "model.safetensors").is_file()
    resumed = typed(["audio", "pretrain", str(folder / "t.parquet"), *SMALL, "--out", str(tmp_path / "out"),
                     "--resume"])  # fmt: skip
    assert resumed != 0, "it holds no state of an optimiser"


@pytest.mark.parametrize("network", ["wave", "mel"])
def test_an_arm_of_one_branch_is_probed_on_what_a_run_of_it_gives(network: str, folder: Path, tmp_path: Path) -> None:
    run, table = Run.open(folder / "run"), read_table(folder / "t.parquet")
    store = ArrayStore.fill(tmp_path / "store", table, AudioReader())
    alone = branch_run(run, network, tmp_path / "out")
    expected = embed_rows(Run.open(alone).encoder(), Run.open(alone).preprocess, table, store)
    arm = Arm("one", "", "simclr", branch=network)
    found = features_of(arm, [run], table, store, np.ones(len(table), bool))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    twice = features_of(arm, [run, run], table, store, np.ones(len(table), bool))
    np.testing.assert_array_equal(twice, np.concatenate([found, found], axis=1))


def test_other_runs_and_networks_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="which is one network"):
        branch_run(Run.open(folder / "one"), "mel", tmp_path / "out")
    with pytest.raises(UsageError, match="has no network 'mels'") as caught:
        branch_run(Run.open(folder / "run"), "mels", tmp_path / "out")
    assert "'mel'" in caught.value.hint
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("")
    with pytest.raises(UsageError):
        branch_run(Run.open(folder / "run"), "mel", tmp_path / "full")
    assert not (tmp_path / "out").exists()


def test_the_export_of_both_networks_says_which_spectrogram_is_made(folder: Path, tmp_path: Path) -> None:
    command("audio", "export", folder / "run", tmp_path / "out", "--format", "safetensors")
    encoder, preprocess = ssl_domains.load(folder / "run")
    with safe_open(tmp_path / "out" / "model.safetensors", framework="pt") as file:
        about = file.metadata()
    takes = InputSpec.from_dict(json.loads(about["takes"]))
    assert dict(takes.facts)["bands"] == preprocess.mel.bands  # type: ignore[attr-defined]
    again = create_encoder(about["architecture"], seed=5, takes=takes).eval()
    again.model.load_state_dict(load_file(tmp_path / "out" / "model.safetensors"))
    x = preprocess(*recording(folder))
    with torch.no_grad():
        np.testing.assert_array_equal(again(x.values, x.valid).pooled, encoder(x.values, x.valid).pooled)
    assert typed(["audio", "export", str(folder / "run"), str(tmp_path / "timm"), "--format", "timm"]) == 2
