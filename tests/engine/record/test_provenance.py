"""What a run writes about where it came from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import torch

from ssl_domains.engine.record import provenance
from ssl_domains.engine.record.provenance import data_fingerprint, environment, source_commit
from ssl_domains.samples import SampleTable

TABLE = SampleTable.of(
    {"sample": ["a", "b", "c"], "p": [1, 1, None], "q": ["x", "y", "z"], "split": ["train", None, "train"]}
)


def test_the_fingerprint_sees_ids_their_order_and_the_columns_of_the_rule() -> None:
    first = data_fingerprint(TABLE, ["p"])
    assert first["rows"] == 3
    assert first["split"] == {"(none)": 1, "train": 2}
    assert first == data_fingerprint(TABLE.with_columns(q=["other"] * 3), ["p"])
    assert first["samples"] != data_fingerprint(TABLE.take([1, 0, 2]), ["p"])["samples"]
    assert first["columns"] != data_fingerprint(TABLE.with_columns(p=[1, 2, None]), ["p"])["columns"]
    assert first["columns"] != data_fingerprint(TABLE.with_columns(p=["1", "1", None]), ["p"])["columns"]


def test_the_fingerprint_sees_what_edge_files_hold(tmp_path: Path) -> None:
    edges = tmp_path / "edges.tsv"
    edges.write_text("a\tb\na\tb\n")
    first = data_fingerprint(TABLE, [], [str(edges), "computed by the method"])
    assert len(first["edges"]) == 1
    edges.write_text("a\tb\na\tc\n")
    assert first != data_fingerprint(TABLE, [], [str(edges), "computed by the method"])


def test_without_a_split_it_says_so() -> None:
    assert data_fingerprint(SampleTable.of({"p": [1, 2]}), [])["split"] is None


def test_versions_and_plugins_are_named() -> None:
    found = environment(torch.device("cpu"), "float32")
    assert found["versions"]["torch"] == torch.__version__
    assert all(isinstance(version, str) for version in found["plugins"].values())
    assert (found["device"], found["cuda"]) == ("cpu", None)


def test_a_package_inside_somebody_elses_repository_has_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        tracked = command[1] != "ls-files"
        return subprocess.CompletedProcess(
            command, 0 if tracked else 1, "abc\n" if command[1] == "rev-parse" else "", ""
        )

    monkeypatch.setattr(provenance.subprocess, "run", answer)
    assert source_commit() is None


def test_a_changed_checkout_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    output = {"ls-files": "__init__.py", "rev-parse": "abc", "status": " M file.py"}

    def answer(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 0, output[command[1]] + "\n", "")

    monkeypatch.setattr(provenance.subprocess, "run", answer)
    assert source_commit() == "abc-dirty"
    output["status"] = ""
    assert source_commit() == "abc"


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(provenance.subprocess, "run", missing)
    assert source_commit() is None
