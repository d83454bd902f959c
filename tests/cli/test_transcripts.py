"""Recognisers on the command line: probe, fine-tuning and prediction of transcripts, and mistakes with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from letter_lines import ssl_domains_domains

SETS = ("--set", "train.max_steps=6", "--set", "train.batch_size=8", "--set", "train.device=cpu")
FEW = ("--set", "method.probe_steps=20")


@pytest.fixture
def letter(plugin: Callable[..., Any]) -> None:
    assert ssl_domains_domains
    plugin("letter", "from letter_lines import *\n", app=None)


@pytest.fixture
def samples(letter: None, cli: Callable[..., Any], tmp_path: Path) -> Path:
    table = tmp_path / "samples.parquet"
    assert cli("letter", "demo-data", tmp_path / "data").code == 0
    done = cli("letter", "scan", tmp_path / "data", "-o", table)
    assert done.code == 0, done.err
    return table


@pytest.fixture
def run(samples: Path, cli: Callable[..., Any], tmp_path: Path) -> Path:
    done = cli("letter", "pretrain", samples, "--out", tmp_path / "run", *SETS, "--set", "head.hidden=16", "--set",
               "head.out=8")  # fmt: skip
    assert done.code == 0, done.err
    return tmp_path / "run"


@pytest.fixture
def tuned(samples: Path, run: Path, cli: Callable[..., Any], tmp_path: Path) -> Path:
    out = tmp_path / "tuned"
    done = cli("letter", "finetune", samples, "--from", run, "--transcripts", "text", "--out", out, "--no-scratch",
               "--group", "writer", *SETS, *FEW)  # fmt: skip
    assert done.code == 0, done.err
    return out


def test_a_probe_says_which_transcripts_are_left_out_and_scores_writers(
    samples: Path, run: Path, cli: Callable[..., Any]
) -> None:
    words = (
        "letter",
        "probe",
        run,
        "--transcripts",
        "text",
        "--group",
        "writer",
        "--steps",
        "20",
        "--fractions",
        "0.5,1",
    )
    done = cli(*words)
    assert done.code == 0, done.err
    assert done.out.startswith("Frozen probe of 'text' (transcription, 2 held-out groups of 'writer')")
    for heading in ("character accuracy", "line accuracy", "word accuracy", "CER"):
        assert heading in done.out
    assert "random initialisation" in done.out
    assert (
        "· left out: 1 training row whose transcript needs more frames (its characters, and one for each repeat) than "
        "the encoder gives: 'w0-8' needs 60 of "
    ) in done.out
    assert "· left out: 1 row of the split without 'text'" in done.out
    assert "alphabet of 3 characters, those of the training rows: 'abc'" in done.out
    assert "character accuracy by test group:" in done.out
    stored = json.loads((run / "probe-text.json").read_text())
    assert stored["task"] == "transcription"
    assert {len(row["per_group"]) for row in stored["rows"]} == {2}
    assert cli(*words, "--json").json["rows"] == stored["rows"]
    assert cli("letter", "report", run).code == 0
    listed = cli("runs", "list", run.parent)
    assert "character accuracy" in listed.out


def test_a_comparison_has_the_frozen_probe_and_scratch_beside(
    samples: Path, run: Path, cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "tuned"
    words = ("letter", "finetune", samples, "--from", run, "--transcripts", "text", "--group", "writer", "--out", out,
             *SETS, *FEW)  # fmt: skip
    done = cli(*words)
    assert done.code == 0, done.err
    assert done.out.startswith("Fine-tuning for 'text' (transcription, 2 held-out groups of 'writer')")
    for arm in ("frozen probe", "fine-tuned", "scratch, equal steps", "scratch, equal effort"):
        assert f"\n1         {arm} " in done.out
    before = done.err.split("[1/")[0]
    assert "note: left out: 1 training row whose transcript needs more frames" in before
    assert "character accuracy" in done.err
    assert "the views go without 'crop': a transcript is of the whole sample" in done.out
    again = cli(*words, "--resume", "--json")
    assert again.code == 0, again.err
    assert again.json["evidence"] is False
    assert {row["arm"] for row in again.json["rows"]} == {
        "frozen probe", "fine-tuned", "scratch, equal steps", "scratch, equal effort"
    }  # fmt: skip
    assert all(len(row["per_group"]) == 2 for row in again.json["rows"])
    done = cli("letter", "report", out)
    assert done.code == 0, done.err
    assert "character accuracy" in (out / "report.html").read_text()
    other = cli(*words[: -len(FEW)], "--set", "method.probe_steps=21", "--resume")
    assert other.code == 2
    assert "method.probe_steps = 20, not 21" in other.err


def test_texts_are_written_as_a_table_and_into_the_files_of_the_domain(
    samples: Path, tuned: Path, cli: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "texts.csv"
    done = cli("letter", "predict", tuned, samples, "-o", out)
    assert done.code == 0, done.err
    frame = pl.read_csv(out, schema_overrides={"text": pl.String})
    assert frame.columns == ["sample", "path", "text", "confidence", "trained_on"]
    assert len(frame) == 34
    assert frame["trained_on"].sum() == 24
    assert frame["confidence"].is_between(0, 1).all()
    folder = tmp_path / "texts"
    done = cli("letter", "predict", tuned, tmp_path / "data", "-o", folder, "--json")
    assert done.code == 0, done.err
    assert done.json["files"] == 7
    torn, damaged = done.json["left_out"].get("the page is torn"), len(done.json["left_out"]) - 1
    assert (torn, damaged) == (1, 1)
    assert done.json["notes"] == ["8 pages"]
    again = pl.read_csv(folder / "transcripts.csv", schema_overrides={"text": pl.String})
    assert again["text"].fill_null("").to_list() == frame["text"].fill_null("").to_list()
    assert sorted(path.name for path in (folder / "pages").iterdir()) == [f"w{n}.tsv" for n in (0, 1, 2, 3, 4, 6, 7)]
    lines = (folder / "pages" / "w7.tsv").read_text().splitlines()
    texts = again.filter(pl.col("sample").str.starts_with("w7"))["text"].fill_null("").to_list()
    assert [line.split("\t")[1] for line in lines] == texts
    wide = cli("letter", "predict", tuned, samples, "-o", tmp_path / "beam.csv", "--beam", "5")
    assert wide.code == 0, wide.err


def test_characters_that_a_model_can_not_write_are_said(
    samples: Path, tuned: Path, cli: Callable[..., Any], tmp_path: Path
) -> None:
    frame = pl.read_parquet(samples)
    frame.with_columns(text=pl.col("text").str.replace("c", "é")).write_parquet(tmp_path / "other.parquet")
    done = cli("letter", "predict", tuned, tmp_path / "other.parquet", "-o", tmp_path / "texts.csv")
    assert done.code == 0, done.err
    counted = frame["text"].str.contains("c").sum()
    note = f"note: {counted} samples have characters in 'text' that the model's alphabet lacks: 'é' ({counted})"
    assert note in done.out


def refused(done: Any, code: int, text: str) -> None:
    assert done.code == code, done.out + done.err
    (line,) = [one for one in done.err.splitlines() if one.startswith("error")]
    assert text in line
    assert "hint" in done.err


def test_mistakes_are_one_line_with_a_hint(samples: Path, run: Path, cli: Callable[..., Any], tmp_path: Path) -> None:
    frame = pl.read_parquet(samples)

    def changed(name: str, text: pl.Expr) -> Path:
        frame.with_columns(text=text).write_parquet(tmp_path / name)
        return tmp_path / name

    none = changed("none.parquet", pl.lit(None, dtype=pl.String))
    long = changed("long.parquet", pl.lit("abc" * 40))
    numbers = changed("numbers.parquet", pl.lit(1.5))

    def probe(*more: object) -> Any:
        return cli("letter", "probe", run, "--group", "writer", *more)

    def finetune(table: Path, *more: object) -> Any:
        words = ("letter", "finetune", table, "--from", run, "--group", "writer", "--out", tmp_path / "out", *SETS)
        return cli(*words, *more)

    text = ("--transcripts", "text")
    refused(probe("--transcripts", "txt"), 2, "'txt'")
    refused(probe(*text, "--samples", none), 4, "no row has both a split and a label 'text'")
    refused(probe(*text, "--samples", long), 4, "nothing can be learnt from any of 26 training transcripts 'text'")
    refused(probe(*text, "--samples", numbers), 2, "transcripts are text; column 'text' holds Float64")
    refused(finetune(long, *text), 4, "needs 120 of")
    refused(finetune(none, *text), 4, "no row has both")
    refused(finetune(samples, "--transcripts", "txt"), 2, "'txt'")
    refused(finetune(samples, *text, "--alphabet", "xyz"), 4, "characters outside the alphabet: 'c' (20)")
    refused(finetune(samples, *text, "--label", "writer"), 2, "not --label and --transcripts together")
    refused(finetune(samples, "--label", "writer", "--alphabet", "ab"), 2, "--alphabet is for --transcripts")
    refused(probe(*text, "--floor", "writer"), 2, "--floor is for columns of labels, not for transcripts")
    refused(probe("--label", "writer", "--steps", "5"), 2, "--steps is for --transcripts")
    assert not (tmp_path / "out").exists()


def test_a_beam_is_for_texts_and_keeps_something(
    samples: Path, tuned: Path, cli: Callable[..., Any], tmp_path: Path
) -> None:
    refused(cli("letter", "predict", tuned, samples, "-o", tmp_path / "x.csv", "--beam", "0"), 2, "keeps no prefix")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("")
    refused(cli("letter", "predict", tuned, samples, "-o", tmp_path / "there"), 2, "there")


def test_a_recogniser_is_exported_and_loaded_again(tuned: Path, cli: Callable[..., Any], tmp_path: Path) -> None:
    done = cli("letter", "export", tuned, "--part", "model", "--format", "safetensors", tmp_path / "model")
    assert done.code == 0, done.err
    task = json.loads((tmp_path / "model" / "task.json").read_text())
    assert (task["kind"], task["classes"], task["unicode"]) == ("transcription", ["a", "b", "c"], "NFC")
    assert "log-probabilities `[B, T, 3 + 1]`" in (tmp_path / "model" / "README.md").read_text()


STUDY = """
name = "letters"
title = "Letters"
about = "Tones. Nothing is claimed."
samples = "{samples}"
label = "text"
group = "writer"
seeds = 1
fractions = [1.0]
probes = ["transcripts", "finetune"]
nuisance = []

[config.train]
max_steps = 3
batch_size = 8
[config.head]
hidden = 16
out = 8

[transcripts]
steps = 40
lr = [0.01]
[finetune]
steps = 5
batch = 8

[arms.louder]
config = {{ "train.lr" = 0.002 }}

[primary]
arm = "louder"
against = "random"
fraction = 1.0
probe = "transcripts"
"""


def test_a_study_of_transcripts_has_cells_of_frozen_fine_tuned_and_scratch_recognisers(
    samples: Path, cli: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "STUDY.toml"
    file.write_text(STUDY.format(samples=samples), encoding="utf-8")
    done = cli("letter", "study", file, "--out", tmp_path / "out", "--jobs", "1", "--json")
    assert done.code == 0, done.err
    assert done.json["measure"] == "character accuracy"
    scores = {(one["arm"], one["probe"]) for one in done.json["scores"]}
    for arm in ("random", "simclr", "louder"):
        assert (arm, "transcripts") in scores
    assert not any(arm == "supervised" for arm, _ in scores), "recognisers trained from scratch stand for it"
    for arm in ("simclr", "louder", "scratch, equal steps", "scratch, equal effort"):
        assert (arm, "finetune") in scores
    (path,) = (tmp_path / "out" / "cells" / "louder").glob("*/result.json")
    stored = json.loads(path.read_text())
    (frozen, _) = stored["scores"]
    assert (frozen["probe"], frozen["labels"]) == ("transcripts", 24)
    assert frozen["note"].startswith("1 transcript of a draw did not fit their frames")
    assert set(frozen["sums"]) == {"character accuracy", "line accuracy", "word accuracy"}
    assert len(frozen["sums"]["line accuracy"]) == 2
    edits, characters = (sum(row[place] for row in frozen["sums"]["line accuracy"]) for place in (0, 1))
    assert frozen["values"]["CER"] == pytest.approx(edits / characters)
    again = cli("letter", "study", file, "--out", tmp_path / "out", "--jobs", "1")
    assert again.code == 0, again.err
    assert "[1/" not in again.err  # its cells were there


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('["transcripts", "finetune"]', '["transcripts", "linear"]', "transcripts stand alone in probes"),
        ('label = "text"', 'label = "txt"', "'txt'"),
        ('probe = "transcripts"', 'probe = "transcripts"\nmeasure = "CER"', "no measure is called 'CER'"),
        ("nuisance = []", 'nuisance = []\n[floors]\n"by writer" = ["writer"]', "floors predict a label and no text"),
    ],
)  # fmt: skip
def test_slips_of_a_study_are_told_before_anything_is_trained(
    old: str, new: str, told: str, samples: Path, cli: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "STUDY.toml"
    file.write_text(STUDY.format(samples=samples).replace(old, new), encoding="utf-8")
    done = cli("letter", "study", file, "--out", tmp_path / "out", "--jobs", "1")
    assert done.code == 2
    assert told in done.err
    assert not (tmp_path / "out" / "cells").exists()
