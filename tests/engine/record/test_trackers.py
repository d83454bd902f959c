"""``metrics.jsonl``: valid JSON whatever is measured, whole lines whatever was killed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ssl_domains.engine.record.trackers import MetricsFile, create_trackers
from ssl_domains.errors import UsageError


def test_nan_and_infinity_become_null(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "m.jsonl")
    file.log({"step": 1, "loss": float("nan"), "per_relation": {"same('a')": float("inf"), "b": 2.0}})
    assert json.loads((tmp_path / "m.jsonl").read_text()) == {
        "step": 1,
        "loss": None,
        "per_relation": {"same('a')": None, "b": 2.0},
    }


def test_half_a_line_is_left_out_and_trimmed_away(tmp_path: Path) -> None:
    file = MetricsFile(tmp_path / "m.jsonl")
    for step in (1, 5, 9):
        file.log({"step": step})
    with open(file.path, "a") as raw:
        raw.write('{"step": 12, "lo')
    assert [values["step"] for values in file.read()] == [1, 5, 9]
    file.trim(5)
    assert file.path.read_text() == '{"step": 1}\n{"step": 5}\n'
    assert [path.name for path in tmp_path.iterdir()] == ["m.jsonl"]


def test_no_file_is_no_measurement(tmp_path: Path) -> None:
    assert MetricsFile(tmp_path / "m.jsonl").read() == []


def test_a_missing_tensorboard_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match="not installed") as caught:
        create_trackers(["tensorboard"], tmp_path)
    assert "ssl-domains[tensorboard]" in caught.value.hint


def test_tensorboard_writes_event_files(train: Callable[..., Any], tmp_path: Path) -> None:
    pytest.importorskip("torch.utils.tensorboard", reason="the extra `tensorboard` is not installed")
    train(tmp_path / "run", ("train.max_steps=2", "train.trackers=['tensorboard']"))
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))
