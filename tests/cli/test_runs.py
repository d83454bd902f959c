"""``runs list``: a table or JSON of runs, sorted, without heavy imports."""

from __future__ import annotations

import json

import pytest

from ssl_domains.engine.record.config import RunConfig


@pytest.fixture
def runs(tmp_path):
    """Three runs, the last with neither k-NN nor probe, and a damaged one."""
    for name, loss, knn, score in (("a", 3.0, 0.4, 0.5), ("deep/b", 1.0, 0.9, 0.7), ("c", 2.0, None, None)):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        config = RunConfig().with_values({"pairs.rule": "same('patient') & within('position_mm', 4) | same('study')"})
        (folder / "config.toml").write_text(config.to_toml())
        line = {"step": 5, "loss": loss} | ({} if knn is None else {"knn": knn})
        (folder / "metrics.jsonl").write_text(json.dumps(line) + "\n")
        if score is not None:
            for label in ("grade", "scanner"):
                value = score if label == "grade" else 1 - score
                rows = [{"arm": "frozen encoder", "probe": "linear", "used": 1.0, "values": {"R²": value}}]
                report = {"label": label, "task": "regression", "rows": rows}
                (folder / f"probe-{label}.json").write_text(json.dumps(report))
    (tmp_path / "runs" / "d").mkdir()
    (tmp_path / "runs" / "d" / "metrics.jsonl").write_text('{"step": 1, "loss": 9.0}\n')
    return tmp_path / "runs"


def order(done):
    assert done.code == 0, done.err
    return [one["run"] for one in done.json]


def test_a_table_for_a_reader(runs, cli):
    done = cli("runs", "list", runs)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].split() == [
        "run",
        "method",
        "rule",
        "epochs",
        "steps",
        "loss",
        "k-NN",
        "probe",
        "fine-tuned",
        "size",
    ]
    first = lines[2]
    for text in ("a ", "simclr", "same('patient') & within('position_mm', 4) | sa…", "3.000", "0.400"):
        assert text in first
    assert "grade 0.500 R²; scanner 0.500 R²" in first
    assert "damaged: d: config.toml is missing" in done.out
    assert lines[-1].startswith("4 runs, ")
    assert lines[-1].endswith("one run is not evidence")
    assert "grade" not in cli("runs", "list", runs, "--label", "scanner").out


def test_the_order_of_a_column(runs, cli):
    assert order(cli("runs", "list", runs, "--json")) == ["a", "c", "d", "deep/b"]
    assert order(cli("runs", "list", runs, "--sort", "loss", "--json")) == ["deep/b", "c", "a", "d"]
    assert order(cli("runs", "list", runs, "--sort", "knn", "--json")) == ["deep/b", "a", "c", "d"]
    assert order(cli("runs", "list", runs, "--sort", "probe", "--json")) == ["deep/b", "a", "c", "d"]
    by_scanner = cli("runs", "list", runs, "--sort", "probe", "--label", "scanner", "--json")
    assert order(by_scanner) == ["a", "deep/b", "c", "d"]
    wrong = cli("runs", "list", runs, "--sort", "lsos")
    assert (wrong.code, "'loss'" in wrong.err) == (2, True)


def test_json_keeps_what_the_table_shortens(runs, cli):
    one = cli("runs", "list", runs, "--json").json[0]
    assert one["rule"] == "same('patient') & within('position_mm', 4) | same('study')"
    assert one["probes"][0] == {"label": "grade", "measure": "R²", "value": 0.5, "fraction": 1.0}
    assert one["damage"] == ""


def test_a_folder_without_runs_is_one_line_and_a_hint(tmp_path, cli):
    done = cli("runs", "list", tmp_path)
    assert done.code == 2
    assert done.err.splitlines()[0].startswith("error: there is no run in ")
    assert done.err.splitlines()[1].startswith("hint: ")
