"""The loop: what it writes, and that an interrupted run ends with the same bits."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from ssl_domains.engine import Run
from ssl_domains.engine.record.checkpoint import OtherConfigError, OtherSamplesError
from ssl_domains.engine.record.run_list import list_runs
from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable
from ssl_domains_text.documents.words.settings import word_config
from ssl_domains_text.documents.words.training import train_words

from .made_up import table_of, topics

SMALL = ("train.epochs=2", "train.batch_size=100", "method.dims=8", "method.min_count=1")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> SampleTable:
    return table_of(tmp_path_factory.mktemp("topics"), list(topics(sentences=120)))


def config(name: str = "skipgram", *sets: str) -> Any:
    return word_config(None, [*SMALL, *sets], {"method.name": name})


def weights(run: Run) -> dict[str, Any]:
    saved = run.checkpoints.load()
    return {**saved["method"], **{f"update.{name}": value for name, value in saved["optimiser"].items()}}


@pytest.mark.parametrize("name", ["skipgram", "nce_lm", "ranking_lm"])
@pytest.mark.parametrize("by", ["interrupted", "killed"])
def test_a_resumed_run_has_the_same_bits(table: SampleTable, tmp_path: Path, name: str, by: str) -> None:
    settings = config(name, "train.checkpoint_every_steps=4")
    whole = train_words(settings, table, tmp_path / "whole")
    assert whole.step == 24

    def stop(what: str, done: int, total: int) -> None:
        if what == "training" and done == 11:
            if by == "killed":
                raise RuntimeError("killed")
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt if by == "interrupted" else RuntimeError):
        train_words(settings, table, tmp_path / "stopped", progress=stop)
    assert Run.open(tmp_path / "stopped").step == (11 if by == "interrupted" else 8)
    resumed = train_words(settings, table, tmp_path / "stopped", resume=True)
    wanted, found = weights(whole), weights(resumed)
    assert set(wanted) == set(found)
    assert len(wanted) > 1
    for key, value in wanted.items():
        assert torch.equal(value, found[key]), key
    earlier = whole.checkpoints.load(whole.checkpoints.paths()[0])["method"]
    assert not any(torch.equal(earlier[key], wanted[key]) for key in earlier)
    kept = [[{**line, "words_per_s": 0} for line in run.metrics()] for run in (whole, resumed)]
    assert kept[0] == kept[1]
    assert [line["step"] for line in kept[0]] == list(range(1, 25))


def test_the_run_folder(table: SampleTable, tmp_path: Path) -> None:
    said: list[str] = []
    run = train_words(config("skipgram", "train.lr=0.2"), table, tmp_path / "run", say=said.append)
    assert run.config.method.name == "skipgram"
    assert (run.config.train.epochs, run.config.train.lr) == (2, 0.2)
    assert run.environment["command"] == "ssl-domains text words"
    assert run.data_fingerprint["rows"] == len(run.training_samples) == 120
    assert "training on 1,200 words of 120 sentences: a vocabulary of 95, 24 steps of 100 words" in said[0]
    assert run.metrics()[-1]["loss"] < run.metrics()[0]["loss"]
    (facts,) = list_runs(tmp_path)
    assert (facts.method, facts.epochs, facts.steps, facts.damage) == ("skipgram", 2, 24, "")
    with pytest.raises(UsageError, match="has no encoder: `ssl-domains text words` made it"):
        run.encoder()


def test_what_a_run_refuses(table: SampleTable, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(UsageError, match="nothing to resume"):
        train_words(config(), table, out, resume=True)
    train_words(config(), table, out)
    with pytest.raises(UsageError, match="already holds a run"):
        train_words(config(), table, out)
    with pytest.raises(OtherConfigError, match=r"made with method\.window = 5, not 4"):
        train_words(config("skipgram", "method.window=4"), table, out, resume=True)
    with pytest.raises(OtherSamplesError, match="not those of the run"):
        train_words(config(), table.take([1, 2, 3]), out, resume=True)
    (out / "corpus" / "words.npy").unlink()
    with pytest.raises(DataError, match=r"the corpus .* can't be read"):
        train_words(config(), table, out, resume=True)


def test_only_training_documents_are_read(table: SampleTable, tmp_path: Path) -> None:
    run = train_words(config(), table.with_columns(split=["test"] * 100 + ["train"] * 20), tmp_path / "run")
    words = json.loads((run.folder / "corpus" / "vocabulary.json").read_text())
    assert sum(words["counts"]) == 200
    with pytest.raises(DataError, match="no training documents"):
        train_words(config(), table.with_columns(side=["query"] * 120), tmp_path / "other")


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["method.windw=3"], "no option 'windw'"),
        (["method.window=0"], "method.window"),
        (["train.weight_decay=0.1"], "train.weight_decay is not read by 'skipgram'"),
        (["train.device=cuda"], "train.device is not read"),
        (["encoder.name=resnet50"], "encoder.name is not read"),
        (["method.name=simclr"], "words are not trained by 'simclr'"),
    ],
)
def test_a_setting_that_is_not_read_is_refused(sets: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        word_config(None, sets, {})


def test_a_loss_that_is_no_number_ends_the_run(table: SampleTable, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a finite number"):
        train_words(config("skipgram", "train.lr=1e30"), table, tmp_path / "run")


def test_zero_epochs_keep_the_first_vectors(table: SampleTable, tmp_path: Path) -> None:
    run = train_words(config("skipgram", "train.epochs=0"), table, tmp_path / "run")
    assert run.step == 0
    assert run.checkpoints.load()["method"]["output"].abs().sum() == 0
