"""The commands, from texts to nearest words and files of vectors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ssl_domains.cli.app import run

from .made_up import table_of, topics

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def command(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*map(str, words)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def test_from_texts_to_nearest_words(command: Command, tmp_path: Path) -> None:
    table_of(tmp_path, list(topics(sentences=600)))
    samples, out = tmp_path / "samples.parquet", tmp_path / "run"
    sets = ("--set", "method.dims=128", "--set", "train.batch_size=256", "--set", "method.sample=0.0")
    code, printed, err = command("text", "words", samples, "--out", out, *sets)
    assert code == 0, err
    assert f"run: {out} (120 steps)" in printed
    assert "words/s, loss" in err
    code, printed, err = command("text", "nearest-words", out, "t3w1", "-k", "5", "--json")
    assert code == 0, err
    assert sum(one["word"].startswith("t3") for one in json.loads(printed)) >= 4
    code, printed, err = command("text", "nearest-words", out, "t3w1", "T3W2", "-k", "2")
    assert code == 0, err
    assert len(printed.splitlines()) == 2
    assert command("text", "nearest-words", out, "nothing")[0] == 2
    code, _, err = command("text", "export-words", out, tmp_path / "words.txt")
    assert code == 0, err
    assert (tmp_path / "words.txt").read_text().splitlines()[0] == "95 128"
    code, _, err = command("text", "export-words", out, tmp_path / "x", "--format", "words2vec")
    assert (code, "did you mean 'word2vec'?" in err) == (2, True)
    code, printed, err = command("text", "export-words", out, tmp_path / "static", "--format", "static")
    assert code == 0, err
    (next_line,) = [line for line in printed.splitlines() if line.startswith("next: ")]
    words = next_line.removeprefix("next: ssl-domains ").replace("SAMPLES", str(samples))
    tuned = tmp_path / "tuned"
    code, _, err = command(*words.replace("--out RUN", f"--out {tuned}").split(), "--set", "train.max_steps=2")
    assert code == 0, err
    code, _, err = command("text", "embed", out, samples, "-o", tmp_path / "e.parquet")
    assert (code, "has no encoder: `ssl-domains text words` made it" in err) == (2, True)


def test_the_methods_are_listed_and_pretrain_names_their_command(command: Command, tmp_path: Path) -> None:
    table_of(tmp_path, list(topics(sentences=60)))
    code, printed, _ = command("methods", "list", "--json")
    assert code == 0
    listed = {one["name"]: one["paper"] for one in json.loads(printed)}
    for name, paper in {"skipgram": "Mikolov", "nce_lm": "Mnih", "ranking_lm": "Collobert"}.items():
        assert paper in listed[name]
        code, _, err = command(
            "text", "pretrain", tmp_path / "samples.parquet", "--out", tmp_path / "r", "--method", name
        )
        assert code == 2
        assert f"hint: ssl-domains text words SAMPLES --out RUN --method {name}" in err
        code, printed, err = command("config", "schema", "--method", name)
        assert code == 0, err
        assert "min_count" in json.loads(printed)["$defs"]["MethodConfig"]["properties"]


def test_resume_takes_the_settings_of_the_run(command: Command, tmp_path: Path) -> None:
    table_of(tmp_path, list(topics(sentences=60)))
    words = ("text", "words", tmp_path / "samples.parquet", "--out", tmp_path / "run")
    code, _, err = command(*words, "--method", "nce_lm", "--set", "method.min_count=1", "--shuffle-words", "3")
    assert code == 0, err
    code, _, err = command(*words, "--resume")
    assert code == 0, err
    assert "going on at step" in err
    code, _, err = command(*words)
    assert (code, "already holds a run" in err) == (2, True)
    code, _, err = command(*words, "--resume", "--method", "skipgram")
    assert code == 2, err
