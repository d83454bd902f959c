"""Mistakes of a first hour: each gets one line, a hint and the exit code of its kind, and leaves no result behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from missing_distribution import hide
from ssl_domains.samples import SampleTable, read_table, write_table

SMALL = ("--set", "train.max_steps=1", "--set", "train.batch_size=12", "--set", "views.size=32")

WITHOUT_A_RUN = {
    "a folder that is not there": ("toy scan {tmp}/nowhere -o {tmp}/t.parquet", 2, "no source", "name a folder"),
    "a folder without anything": ("toy scan {tmp}/empty -o {tmp}/t.parquet", 4, "holds nothing", "reads toys (.npy)"),
    "a table of an unknown kind": ("toy scan {data} -o {tmp}/t.txt", 2, "can't write a table", ".parquet"),
    "a result that is a folder": ("toy scan {data} -o {tmp}/folder.parquet", 2, "is a folder", "name a file"),
    "--join without --on": ("toy scan {data} -o {tmp}/t.parquet --join {labels}", 2, "belong together", "--on COLUMN"),
    "--on a column that is not there": (
        "toy scan {data} -o {tmp}/t.parquet --join {labels} --on patinet", 2, "patinet", "patient",
    ),
    "labels that are not there": (
        "toy scan {data} -o {tmp}/t.parquet --join {tmp}/lables.csv --on patient", 2, "lables.csv", ".csv",
    ),
    "a split by a misspelt column": ("toy scan {data} -o {tmp}/t.parquet --split-by pateint", 2, "pateint", "patient"),
    "a table that is not there": ("toy pairs {tmp}/sample.parquet --rule same('patient')", 2, "sample.parquet", ".csv"),
    "a rule that is cut off": ("toy pairs {samples} --rule same('patient'", 2, "never closed", "same("),
    "a rule of an unknown name": ("toy pairs {samples} --rule sam('patient')", 2, "sam", "same"),
    "a rule by a misspelt column": ("toy pairs {samples} --rule same('pateint')", 2, "pateint", "'patient'"),
    "a sampler that is misspelt": ("toy pairs {samples} --pairs pateint", 2, "pateint", "patient"),
    "neither rule nor sampler": ("toy pairs {samples}", 2, "--pairs or --rule", "patient"),
    "a rule that equals SimCLR": ("toy pretrain {samples} --out {tmp}/new --rule same('alone')", 4, "SimCLR", "bins()"),
    "a label that was not joined": ("toy pairs {samples} --pairs patient --label diagnosis", 2, "diagnosis", "known:"),
    "an option that is misspelt": ("toy pairs {samples} --pairs patient --lable kind", 2, "--lable", "pairs --help"),
    "a method that is misspelt": ("toy pretrain {samples} --out {tmp}/new --method simclrr", 2, "simclrr", "simclr"),
    "a setting that is misspelt": (
        "toy pretrain {samples} --out {tmp}/new --pairs patient --set train.epoch=3", 2, "train.epoch", "train.epochs",
    ),
    "a setting of the wrong type": (
        "toy pretrain {samples} --out {tmp}/new --pairs patient --set train.epochs=ten", 2, "train.epochs", "epochs",
    ),
    "a batch that is too large": (
        "toy pretrain {samples} --out {tmp}/new --pairs patient --set train.batch_size=500", 2, "500",
        "--set train.batch_size=36",
    ),
    "a queue longer than the table": (
        "toy pretrain {samples} --out {tmp}/new --method moco --set method.queue=500", 2, "the queue of 500 keys",
        "use --set method.queue=36\n",
    ),
    "a supervised method without a rule or a label": (
        "toy pretrain {samples} --out {tmp}/new --method supcon", 2, "needs a rule", "use --method simclr, or add",
    ),
    "nothing to resume": ("toy pretrain {samples} --out {tmp}/new --pairs patient --resume", 2, "new", ""),
    "a run that is not one": ("toy probe {data} --label kind", 2, "is not a run folder", "pretrain --out"),
    "a report of a folder": ("toy report {data}", 2, "is not a run folder", "pretrain --out"),
    "a domain that is misspelt": ("toyy scan {data} -o {tmp}/t.parquet", 2, "toyy", "toy"),
    "a domain that is not installed": ("text scan {data} -o {tmp}/t.parquet", 3, "not installed", "pip install"),
    "a table of another domain": ("fisheye pairs {samples} --rule same('patient')", 2, "toy", "ssl-domains toy --help"),
    "an audit without the split": ("splits audit {samples} --split fold --group patient", 2, "fold", "known:"),
    "a study that is not there": ("toy study {tmp}/STUDY.toml --out {tmp}/study", 2, "STUDY.toml", "the path of"),
}  # fmt: skip

WITH_A_RUN = {
    "a run that is there already": ("toy pretrain {samples} --out {run} --pairs patient", 2, "run", "--resume"),
    "a column that is not there": ("toy probe {run} --label knid", 2, "knid", "'kind'"),
    "a label of one class": ("toy probe {run} --label one", 4, "one class", "varies"),
    "the group as a label": ("toy probe {run} --label patient", 2, "is the group", "another column"),
    "a share of 2": ("toy probe {run} --label kind --fractions 2", 2, "--fractions", "0.01,0.1,1"),
    "neither label nor masks": (
        "toy probe {run}",
        2,
        "needs a target",
        "add --label COLUMN, --masks, --transcripts COLUMN or --relevance FILE\n",
    ),
    "a label and masks": ("toy probe {run} --label kind --masks", 2, "not --label and --masks", "leave out --masks\n"),
    "another method to resume with": (
        "toy pretrain {samples} --out {run} --resume --method byol",
        2,
        "the run 'run' was made with the method 'simclr', and a resumed run keeps its method: not 'byol'",
        "use --method simclr to go on, or another --out",
    ),
    "fractions that are no numbers": (
        "toy probe {run} --label kind --fractions abc",
        2,
        "--fractions 'abc'",
        "for example --fractions 0.01,0.1,1\n",
    ),
    "the whole model of a run without a head": (
        "toy export {run} {tmp}/whole --part model",
        2,
        "not trained with labels: it has an encoder, but no head",
        "hint: ssl-domains toy finetune SAMPLES --from {run} --label COLUMN --out RUN2\n",
    ),
    "a group that is not there": ("toy probe {run} --label kind --group side", 2, "side", "kind"),
    "a format that is misspelt": ("toy export {run} {tmp}/out --format safetensor", 2, "safetensor", "safetensors"),
    "an export into a folder in use": ("toy export {run} {data} --format safetensors", 2, "already", "new folder"),
}


def check(cli: Callable[..., Any], line: str, places: dict[str, Path], code: int, message: str, hint: str) -> None:
    words = [word.format(**places) for word in line.split(" ")]
    done = cli(*words)
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    errors = [one for one in done.err.splitlines() if one.startswith("error: ")]
    hints = [one for one in done.err.splitlines() if one.startswith("hint: ")]
    assert len(errors) == len(hints) == 1, done.err
    assert message in errors[0]
    assert hint.format(**places) in f"{hints[0]}\n"  # a hint that ends here ends with a line break
    assert done.err.rstrip("\n").endswith(hints[0]), "the error comes last"


@pytest.fixture
def places(samples: Path, tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.parquet").mkdir()
    labels = tmp_path / "labels.csv"
    labels.write_text("patient,diagnosis\np0,a\np1,b\n", encoding="utf-8")
    return {
        "samples": samples, "data": tmp_path / "data", "labels": labels, "tmp": tmp_path, "run": tmp_path / "run",
    }  # fmt: skip


@pytest.mark.parametrize("mistake", WITHOUT_A_RUN)
def test_before_training(
    mistake: str, places: dict[str, Path], cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, "ssl-domains-text")
    check(cli, WITHOUT_A_RUN[mistake][0], places, *WITHOUT_A_RUN[mistake][1:])
    assert not (places["tmp"] / "t.parquet").exists()
    assert not (places["tmp"] / "new" / "config.toml").exists()


def test_after_training(places: dict[str, Path], cli: Callable[..., Any]) -> None:
    trained = cli("toy", "pretrain", places["samples"], "--out", places["run"], "--pairs", "patient", *SMALL)
    assert trained.code == 0, trained.err
    for mistake in WITH_A_RUN.values():
        check(cli, mistake[0], places, *mistake[1:])


def test_a_supervised_method_names_a_label_column_of_the_table(
    places: dict[str, Path], cli: Callable[..., Any]
) -> None:
    """The reader's own columns and a column of one value are no labels; a joined column of two values is one."""
    joined = places["tmp"] / "joined.parquet"
    places["labels"].write_text(
        "patient,site,diagnosis\n" + "".join(f"p{number},s,{'ab'[number % 2]}\n" for number in range(12)), "utf-8"
    )
    done = cli("tables", "join", places["samples"], places["labels"], "--on", "patient", "-o", joined)
    assert done.code == 0, done.err
    line = f"toy pretrain {joined} --out {places['tmp']}/new --method supcon"
    check(cli, line, places, 2, "needs a rule", "use --rule \"same('diagnosis')\", or --method simclr\n")


def test_a_label_that_is_missing_throughout(places: dict[str, Path], cli: Callable[..., Any]) -> None:
    """``pairs --label`` says that no label is known, instead of a share of false negatives."""
    table: SampleTable = read_table(places["samples"])
    empty = places["tmp"] / "empty.parquet"
    write_table(table.with_columns(diagnosis=[None] * len(table)), empty)
    done = cli("toy", "pairs", empty, "--pairs", "patient", "--label", "diagnosis")
    assert done.code == 0
    assert "unknown: label 'diagnosis' is missing throughout" in done.out
    assert "0.0 % of negatives" not in done.out
