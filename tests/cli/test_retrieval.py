"""Retrieval from the command line: by a column, by a file of graded pairs, by a rule."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ssl_domains.engine import Run
from ssl_domains.samples import read_table

SMALL = tuple(
    word
    for value in ("train.batch_size=12", "train.device=cpu", "train.max_steps=1", "head.hidden=16", "head.out=8")
    for word in ("--set", value)
)


@pytest.fixture
def run(samples, cli, tmp_path):
    folder = tmp_path / "run"
    done = cli("toy", "pretrain", samples, "--out", folder, "--method", "simclr", *SMALL)
    assert done.code == 0, done.err
    return folder


def features(run, cli, samples, tmp_path):
    assert cli("toy", "embed", run, samples, "-o", tmp_path / "e.parquet").code == 0
    return pl.read_parquet(tmp_path / "e.parquet")["embedding"].to_numpy().astype(np.float64)


def by_a_loop(x, queries, items, relevant, banned):
    """Mean average precision and recall@10, from their definitions."""
    centre = x[items].mean(axis=0)
    precisions, recalls = [], []
    for q in queries:
        among = [j for j in items if not banned(q, j)]
        a = (x[q] - centre) / np.linalg.norm(x[q] - centre)
        cosine = {j: np.float32(a @ ((x[j] - centre) / np.linalg.norm(x[j] - centre))) for j in among}
        order = sorted(among, key=lambda j: (-cosine[j], j))
        found = [rank for rank, j in enumerate(order, start=1) if relevant(q, j)]
        if found:
            precisions.append(sum((n + 1) / rank for n, rank in enumerate(found)) / len(found))
            recalls.append(sum(rank <= 10 for rank in found) / len(found))
    return np.mean(precisions), np.mean(recalls), len(precisions)


@pytest.mark.parametrize("gallery", ["train", "test"])
def test_by_a_column(samples, run, cli, tmp_path, gallery):
    done = cli("toy", "probe", run, "--label", "kind", "--gallery", gallery, "--json")
    assert done.code == 0, done.err
    rows = {row["arm"]: row for row in done.json["rows"]}
    assert set(rows) == {"frozen encoder", "random initialisation", "random order"}
    frame, x = read_table(samples).frame, features(run, cli, samples, tmp_path)
    kind, patient = frame["kind"].to_list(), frame["patient"].to_list()
    sides = {side: np.flatnonzero((frame["split"] == side).to_numpy()) for side in ("train", "test")}
    expected = by_a_loop(
        x, sides["test"], sides[gallery], lambda q, j: kind[q] == kind[j], lambda q, j: patient[q] == patient[j]
    )
    got = rows["frozen encoder"]
    assert (got["values"]["mAP"], got["values"]["recall@10"], got["tested"]) == pytest.approx(expected, rel=1e-6)
    assert got["labels"] == len(sides[gallery])
    assert "nDCG@10" not in got["values"]
    side = "the training rows" if gallery == "train" else "the other test rows"
    assert f"gallery: {side}, without the items of the query's own group of 'patient'" in done.json["notes"]
    assert done.json["evidence"] is False


def test_the_table_and_the_report_show_it(run, cli):
    done = cli("toy", "probe", run, "--label", "kind", "--gallery", "train", "--alone")
    assert done.code == 0, done.err
    assert "Retrieval by kind (3 held-out groups of 'patient') · one run, not evidence" in done.out
    assert "random order" not in done.out
    assert (run / "probe-retrieval_by_kind.json").is_file()
    assert cli("toy", "report", run).code == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "retrieval by kind" in page
    assert "recall@10" in page
    listed = cli("runs", "list", run.parent, "--json")
    assert listed.code == 0, listed.err
    assert "retrieval by kind" in listed.out


def test_by_a_file_of_graded_pairs(samples, run, cli, tmp_path):
    frame = read_table(samples).frame
    train, test = (frame.filter(pl.col("split") == side)["sample"].to_list() for side in ("train", "test"))
    pairs = [(test[0], train[0], 2.0), (test[0], train[5], 1.0), (train[7], test[1], 1.0), (test[2], train[1], 0.0)]
    inside = (test[0], test[1], 1.0)  # of one patient, and on the test side
    file = tmp_path / "relevant.csv"
    pl.DataFrame([*pairs, inside], schema=["a", "b", "grade"], orient="row").write_csv(file)
    done = cli("toy", "probe", run, "--relevance", file, "--json")
    assert done.code == 0, done.err
    row = done.json["rows"][0]
    assert row["tested"] == 2
    assert 0 < row["values"]["nDCG@10"] <= 1
    assert "left out: 10 of 12 queries without a relevant item" in done.json["notes"]
    assert done.json["label"] == "retrieval by relevant"
    within = cli("toy", "probe", run, "--relevance", file, "--gallery", "test")
    assert within.code == 4
    assert "no query has a relevant item in the gallery" in within.err
    assert "embedding" not in within.err


@pytest.mark.parametrize("gallery", ["train", "test"])
def test_a_rule_on_the_held_out_groups_is_refused_before_the_embedding(run, cli, monkeypatch, gallery):
    monkeypatch.setattr("ssl_domains.evaluation.retrieval.embed", None)  # calling it would be no refusal
    for words in (("--relevance", "same('patient')"), ("--relevance", "same('patient') & same('kind')")):
        done = cli("toy", "probe", run, *words, "--gallery", gallery)
        assert done.code == 2, done.err
        line, hint = [one for one in done.err.splitlines() if one.startswith(("error: ", "hint: "))]
        rule = words[1].replace(" & ", " & ")
        assert line == (
            f"error: no query has a relevant item in the gallery: {rule} compares 'patient', and the groups of "
            "'patient' are held out whole"
        )
        assert hint == (
            "hint: take a rule on another column than 'patient', or hold out the groups of another with --group"
        )
    either = cli("toy", "probe", run, "--relevance", "same('patient') | same('alone')", "--gallery", gallery)
    assert either.code == 2
    assert not list(run.glob("probe-*"))


def test_by_a_rule_with_grades(run, cli):
    done = cli("toy", "probe", run, "--relevance", "within('height', 20, decay='linear')", "--json")
    assert done.code == 0, done.err
    assert 0 < done.json["rows"][0]["values"]["nDCG@10"] < 1


def test_labels_that_the_rule_of_the_run_read_are_said(samples, cli, tmp_path):
    words = ("toy", "pretrain", samples, "--out", tmp_path / "run", "--rule", "same('kind')", *SMALL)
    assert cli(*words).code == 0
    done = cli("toy", "probe", tmp_path / "run", "--label", "kind", "--gallery", "train", "--json")
    assert done.json["supervised"] == 36
    assert Run.open(tmp_path / "run").config.pairs.rule == "same('kind')"


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("--label", "kind", "--gallery", "both"), "--gallery 'both' is no side of the split"),
        (("--masks", "--gallery", "train"), "--gallery is for retrieval"),
        (("--label", "kind", "--relevance", "x.csv"), "not --label and --relevance together"),
        (("--label", "kind", "--masks", "--relevance", "x.csv"), "not --label, --masks and --relevance together"),
        (("--relevance", "absent.csv"), "there is no file 'absent.csv'"),
        (("--label", "height", "--gallery", "train"), "'height' holds numbers, and retrieval needs classes"),
        (("--label", "kind", "--gallery", "train", "--draws", "3"), "--draws is not for retrieval"),
        (("--relevance", "same('nothing')"), "nothing"),
    ],
)
def test_mistakes_are_one_line_and_a_hint(run, cli, words, cause):
    done = cli("toy", "probe", run, *words)
    assert done.code == 2
    assert cause in done.err
    assert "hint" in done.err
