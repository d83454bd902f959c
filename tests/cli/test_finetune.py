"""``finetune`` on the command line: from a table and a run to a report, and the mistakes of a first hour."""

from __future__ import annotations

import html
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.finetuning.report import read_finetune_reports
from ssl_domains.samples import read_table, write_table

SETS = ("--set", "train.max_steps=4", "--set", "train.batch_size=8", "--set", "train.checkpoint_every_steps=1")


@pytest.fixture
def run(cli: Callable[..., Any], samples: Path, tmp_path: Path) -> Path:
    """A run of two steps on the toys."""
    out = tmp_path / "run"
    done = cli("toy", "pretrain", samples, "--out", out, "--set", "train.max_steps=2", "--set", "train.batch_size=12")
    assert done.code == 0, done.err
    return out


def words(samples: Path, run: Path, out: Path, *more: object) -> tuple[object, ...]:
    return ("toy", "finetune", samples, "--from", run, "--label", "kind", "--out", out, *SETS, *more)


def test_a_report_as_text_and_as_json(cli: Callable[..., Any], samples: Path, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run2"
    text = cli(*words(samples, run, out))
    assert text.code == 0, text.err
    assert text.out.startswith("Fine-tuning for 'kind' (classification, 3 held-out groups of 'patient')")
    assert "not evidence" in text.out
    for arm in ("frozen probe", "fine-tuned", "scratch, equal steps", "scratch, equal effort"):
        assert f"\n1         {arm} " in text.out
    assert "[1/5] fine-tuned, 9 labelled groups, draw 0: balanced accuracy" in text.err
    assert text.out.endswith(f"next: ssl-domains toy predict {out} SOURCE -o ANSWERS.csv\n")
    again = cli(*words(samples, run, out, "--resume", "--json"))
    assert again.code == 0, again.err
    assert again.json["evidence"] is False
    stored = json.loads((out / "finetune-kind.json").read_text())
    assert {key: again.json[key] for key in stored} == stored
    assert again.err == ""


def test_the_page_of_the_run_shows_the_comparison_and_no_pairs(
    cli: Callable[..., Any], samples: Path, run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run2"
    assert cli(*words(samples, run, out, "--fractions", "0.4,1", "--draws", "2")).code == 0
    done = cli("toy", "report", out)
    assert done.code == 0, done.err
    page = (out / "report.html").read_text()
    (report,) = read_finetune_reports(out)
    assert len(report.table()) == 8
    for row in report.table():
        assert f"<td>{row['arm']}</td>" in page
        assert all(f">{row[name]}</td>" in page for name in report.metrics)
    for remark in report.remarks():
        assert html.escape(remark, quote=False) in page.replace("&#39;", "'").replace("&#34;", '"')
    assert "not evidence" in page
    assert "(SimCLR)" not in page
    assert 'id="pairs"' not in page
    assert 'id="probes"' not in page
    assert cli("toy", "report", run).code == 0
    page = (run / "report.html").read_text()
    assert 'id="pairs"' in page
    assert 'id="probes"' in page
    assert 'id="finetuned"' not in page


def test_a_dry_run_leaves_nothing(cli: Callable[..., Any], samples: Path, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "run2"
    done = cli(*words(samples, run, out, "--dry-run", "--fractions", "0.4,1", "--draws", "2"))
    assert done.code == 0, done.err
    assert "for 11 trainings" in done.out
    assert not out.exists()
    numbers = cli(*words(samples, run, out, "--dry-run", "--json")).json
    assert numbers["trainings"] == 5
    assert numbers["peak_memory_bytes"] > 0


def test_weights_of_a_file(cli: Callable[..., Any], samples: Path, run: Path, tmp_path: Path) -> None:
    assert cli("toy", "export", run, tmp_path / "export", "--format", "safetensors").code == 0
    (weights,) = (tmp_path / "export").glob("*.safetensors")
    done = cli(*words(samples, weights, tmp_path / "run2", "--json", "--encoder", "small_conv"))
    assert done.code == 0, done.err
    assert [row["arm"] for row in done.json["rows"]] == ["frozen probe", "fine-tuned", "scratch, equal steps"]
    assert any("no scratch at equal effort" in line for line in done.json["remarks"])


MISTAKES = {
    "neither label nor masks": ("{samples} --from {run} --out {out}", 2, "needs a target", "add --label COLUMN"),
    "both": ("{samples} --from {run} --out {out} --label kind --masks", 2, "--label and --masks", "leave out --masks"),
    "a column that is not there": ("{samples} --from {run} --out {out} --label knid", 2, "knid", "'kind'"),
    "a start that is nothing": ("{samples} --from nowhere --out {out} --label kind", 2, "neither a run", "--from RUN"),
    "a folder that is no run": ("{samples} --from {data} --out {out} --label kind", 2, "not a run folder", "pretrain"),
    "an encoder without pre-trained weights": (
        "{samples} --from pretrained --out {out} --label kind", 2,
        "there are no pre-trained weights for the encoder 'small_conv'", "use --encoder resnet18, which has",
    ),
    "random weights": ("{samples} --from random --out {out} --label kind", 2, "from scratch", "scratch stands beside"),
    "a share of 2": ("{samples} --from {run} --out {out} --label kind --fractions 2", 2, "--fractions", "0.01,0.1,1"),
    "no draws": ("{samples} --from {run} --out {out} --label kind --draws 0", 2, "--draws 0", "1 or more"),
    "a misspelt setting": (
        "{samples} --from {run} --out {out} --label kind --set train.epoch=3", 2, "train.epoch", "train.epochs",
    ),
    "a misspelt section": ("{samples} --from {run} --out {out} --label kind --set trian.lr=1", 2, "trian.lr", "train."),
    "a setting of the wrong type": (
        "{samples} --from {run} --out {out} --label kind --set train.max_steps=many", 2, "train.max_steps", "steps",
    ),
    "a misspelt option of the method": (
        "{samples} --from {run} --out {out} --label kind --set method.layer=3", 2, "layer", "layers",
    ),
    "a setting of pairs": (
        "{samples} --from {run} --out {out} --label kind --set pairs.rule=none", 2, "reads no pairs", "leave it out",
    ),
    "another size than the run's": (
        "{samples} --from {run} --out {out} --label kind --set views.size=64", 2, "views.size = 32, not 64",
        "leave --set views.size out",
    ),
    "another encoder than the run's": (
        "{samples} --from {run} --out {out} --label kind --encoder resnet18", 2, "encoder.name", "leave --encoder out",
    ),
    "layers that are no number": ("{samples} --from {run} --out {out} --label kind --layers two", 2, "layers", ""),
    "more layers than there are": (
        "{samples} --from {run} --out {out} --label kind --layers 99", 2, "stages, not 99", "--layers all",
    ),
    "a label of one class": ("{samples} --from {run} --out {out} --label one", 4, "one class", "varies"),
    "the group as a label": ("{samples} --from {run} --out {out} --label patient", 2, "is the group", "another column"),
    "nothing to resume": ("{samples} --from {run} --out {out} --label kind --resume", 2, "to resume", "--resume out"),
    "a run that is there": ("{samples} --from {run} --out {run} --label kind", 2, "already holds", "--resume"),
    "masks without masks": ("{samples} --from {run} --out {out} --masks", 2, "masks", ""),
    "a head without masks": ("{samples} --from {run} --out {out} --label kind --head 1x1", 2, "--masks", "leave it"),
}  # fmt: skip


def test_mistakes_get_a_line_a_hint_and_a_code(
    cli: Callable[..., Any], samples: Path, run: Path, tmp_path: Path
) -> None:
    places = {"samples": samples, "run": run, "out": tmp_path / "run2", "data": tmp_path / "data"}
    for name, (line, code, message, hint) in MISTAKES.items():
        done = cli("toy", "finetune", *(word.format(**places) for word in line.split(" ")))
        assert done.code == code, (name, done.err)
        errors = [one for one in done.err.splitlines() if one.startswith("error: ")]
        hints = [one for one in done.err.splitlines() if one.startswith("hint: ")]
        assert len(errors) == len(hints) == 1, (name, done.err)
        assert message in errors[0], name
        assert hint in hints[0], name
        assert "Traceback" not in done.err
        assert not (tmp_path / "run2").exists(), name


def test_classes_of_test_groups_a_run_of_another_domain_and_labels_of_tested_groups(
    cli: Callable[..., Any], samples: Path, run: Path, tmp_path: Path
) -> None:
    table = read_table(samples)
    kinds = np.array(table.frame["kind"].to_list(), dtype=object)
    kinds[np.flatnonzero((table.frame["split"] == "test").to_numpy())[0]] = "rare"
    write_table(table.with_columns(kind=kinds.tolist()), samples)
    done = cli(*words(samples, run, tmp_path / "run2"))
    assert done.code == 4
    assert "the class 'rare' of 'kind' is only in test groups" in done.err
    record = json.loads((run / "table.json").read_text())
    (run / "table.json").write_text(json.dumps({**record, "domain": "medical"}))
    done = cli(*words(samples, run, tmp_path / "run2"))
    assert done.code == 2
    assert "was trained on samples of medical, not of toy" in done.err


def test_a_fine_tuned_run_is_no_start_for_groups_whose_labels_it_saw(
    cli: Callable[..., Any], samples: Path, run: Path, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    assert cli(*words(samples, run, first, "--no-scratch")).code == 0
    table = read_table(samples)
    swapped = table.frame["split"].replace({"train": "test", "test": "train"})
    other = tmp_path / "other.parquet"
    write_table(table.with_columns(split=swapped), other)
    done = cli(*words(other, first, tmp_path / "second", "--no-scratch"))
    assert done.code == 4
    assert "fine-tuned with labels on groups that are tested here" in done.err


CHILD = "import sys; from ssl_domains.cli.app import run; sys.exit(run(sys.argv[1:]))"


@pytest.mark.slow
def test_killed_by_the_system_and_resumed_writes_the_same_report(
    cli: Callable[..., Any], samples: Path, run: Path, toy: Path, tmp_path: Path
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "run2"
    assert cli(*words(samples, run, whole)).code == 0
    line = [str(word) for word in words(samples, run, out)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(toy), *sys.path])}
    # Killed once inside the fine-tuning and once after two finished trainings.
    marks = (out / "checkpoints" / "step-00000002.pt", out / "comparison" / "scratch-equal-steps-9-groups-draw-0")
    for number, mark in enumerate(marks):
        more = ["--resume"] if number else []
        child = subprocess.Popen([sys.executable, "-c", CHILD, *line, *more], env=environment, stderr=subprocess.PIPE)
        while child.poll() is None and not mark.exists():
            os.sched_yield()
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert child.returncode in (-signal.SIGKILL, 0)
    done = cli(*line, "--resume")
    assert done.code == 0, done.err
    assert (out / "finetune-kind.json").read_bytes() == (whole / "finetune-kind.json").read_bytes()
