"""The list of runs: folders at any depth, scores from reports, damage that does not end the list."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ssl_domains.engine.record.config import RunConfig
from ssl_domains.engine.record.headlines import LEADING, Headline, read_headlines
from ssl_domains.engine.record.run_list import list_runs
from ssl_domains.errors import DataError, UsageError
from ssl_domains.probes import HEADLINE


def make_run(folder: Path, *measured: dict[str, Any], **values: Any) -> Path:
    """The small files of a run, as `pretrain` writes them."""
    folder.mkdir(parents=True)
    config = RunConfig().with_values({key.replace("__", "."): value for key, value in values.items()})
    (folder / "config.toml").write_text(config.to_toml())
    (folder / "data_fingerprint.json").write_text("{}")
    lines = "".join(json.dumps(line) + "\n" for line in measured)
    (folder / "metrics.jsonl").write_text(lines)
    return folder


def row(arm: str, used: float, value: float | None, draw: int = 0, **more: Any) -> dict[str, Any]:
    return {"arm": arm, "used": used, "draw": draw, "values": {"balanced accuracy": value, "accuracy": 0.0}, **more}


def test_a_run_with_everything(tmp_path: Path) -> None:
    run = make_run(
        tmp_path / "a",
        {"step": 1, "loss": 5.0, "knn": None},
        {"step": 40, "loss": 2.5, "knn": 0.75},
        method__name="simclr", pairs__rule="same('patient')", train__epochs=7, pairs__shuffle_metadata=3,
    )  # fmt: skip
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "step-00000038.pt").write_bytes(b"x" * 1000)
    probe = [
        row("frozen encoder", 0.1, 0.5, probe="linear"),
        *(row("frozen encoder", 1.0, value, draw, probe="linear") for draw, value in enumerate((0.6, 0.8))),
        row("frozen encoder", 1.0, 0.9, probe="k-NN"),
        row("random initialisation", 1.0, 0.95, probe="linear"),
    ]
    (run / "probe-grade.json").write_text(json.dumps({"label": "grade", "task": "classification", "rows": probe}))
    tuned = [row("frozen probe", 1.0, 0.7), row("fine-tuned", 0.1, 0.4), row("fine-tuned", 0.5, 0.85)]
    (run / "finetune-grade.json").write_text(json.dumps({"label": "grade", "task": "classification", "rows": tuned}))
    (facts,) = list_runs(tmp_path)
    assert (facts.run, facts.method, facts.rule) == ("a", "simclr", "same('patient'), shuffled 3")
    assert (facts.epochs, facts.steps, facts.loss, facts.knn, facts.damage) == (7, 38, 2.5, 0.75, "")
    assert facts.probes == (Headline("grade", "balanced accuracy", pytest.approx(0.7), 1.0),)
    assert facts.finetuned == (Headline("grade", "balanced accuracy", 0.85, 0.5),)
    assert facts.size == sum(path.stat().st_size for path in run.rglob("*") if path.is_file())


def test_nested_runs_are_found_and_what_is_inside_a_run_belongs_to_it(tmp_path: Path) -> None:
    make_run(tmp_path / "study" / "cells" / "near" / "fold-0" / "run", {"step": 3, "loss": 1.0})
    outer = make_run(tmp_path / "tuned", method__name="simclr")
    make_run(outer / "comparison" / "scratch", {"step": 9, "loss": 1.0})
    make_run(tmp_path / ".hidden" / "run")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "config.toml").write_text("[tool]\nname = 'other'\n")
    os.symlink(tmp_path / "tuned", tmp_path / "link")
    runs = list_runs(tmp_path)
    assert [one.run for one in runs] == ["study/cells/near/fold-0/run", "tuned"]
    assert (runs[1].loss, runs[1].steps) == (None, None)
    assert runs[1].size > runs[0].size
    assert [one.run for one in list_runs(tmp_path / "tuned")] == ["."]


@pytest.mark.parametrize(
    ("name", "text", "damage"),
    [
        ("config.toml", "x = [", "config.toml can't be read: "),
        ("config.toml", "x = 1\n", "config.toml is not of a run: KeyError: 'pairs'"),
        ("config.toml", "pairs = 3\nmethod = 'a'\n", "config.toml is not of a run: TypeError"),
        ("metrics.jsonl", "{\nnone\n", "metrics.jsonl holds no measurement"),
        ("probe-y.json", "{}", "probe-y.json can't be read: KeyError"),
        ("probe-y.json", '{"label": "y", "task": "classification", "rows": []}', "probe-y.json can't be read: "),
        ("finetune-y.json", "[]", "finetune-y.json can't be read: TypeError"),
    ],
)
def test_damage_is_listed_and_the_rest_is_read(tmp_path: Path, name: str, text: str, damage: str) -> None:
    make_run(tmp_path / "good", {"step": 1, "loss": 3.0})
    bad = make_run(tmp_path / "bad", {"step": 2, "loss": 4.0})
    (bad / name).write_text(text)
    first, second = list_runs(tmp_path)
    assert first.damage.startswith(damage)
    assert "\n" not in first.damage
    assert (first.loss, second.loss, second.damage) == (None if name == "metrics.jsonl" else 4.0, 3.0, "")


def test_a_run_without_configuration_is_damaged(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", {"step": 2, "loss": 4.0})
    (run / "config.toml").unlink()
    (facts,) = list_runs(tmp_path)
    assert facts.damage.startswith("config.toml is missing")
    assert (facts.method, facts.rule, facts.epochs, facts.loss) == ("", "", None, 4.0)


def test_the_unfinished_line_of_a_killed_run_is_left_out(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", {"step": 2, "loss": 4.0})
    with open(run / "metrics.jsonl", "a") as file:
        file.write('{"step": 3, "lo')
    (facts,) = list_runs(tmp_path)
    assert (facts.loss, facts.steps, facts.damage) == (4.0, 2, "")


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder, message in (("file", "is a file"), ("nowhere", "does not exist"), ("", "there is no run in")):
        with pytest.raises(UsageError, match=message) as caught:
            list_runs(tmp_path / folder)
        assert caught.value.hint


def test_an_undefined_draw_leaves_the_score_undefined(tmp_path: Path) -> None:
    rows = [row("fine-tuned", 1.0, 0.5), row("fine-tuned", 1.0, None, 1)]
    (tmp_path / "finetune-y.json").write_text(json.dumps({"label": "y", "task": "classification", "rows": rows}))
    assert read_headlines(tmp_path, "finetune") == [Headline("y", "balanced accuracy", None, 1.0)]
    (tmp_path / "finetune-y.json").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"finetune-y\.json"):
        read_headlines(tmp_path, "finetune")


def test_the_main_scores_are_those_of_the_probes() -> None:
    assert LEADING == HEADLINE
