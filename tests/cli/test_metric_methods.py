"""Metric-learning methods through the command line: pictures and signals, counts in the log, bad options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SHORT = (
    "--set", "train.max_steps=2", "--set", "train.batch_size=12", "--set", "head.layers=1", "--set", "head.out=8",
    "--set", "health.every_steps=1",
)  # fmt: skip
COUNTS = {
    "siamese": {"positive_pairs", "negative_pairs", "active_negatives"},
    "triplet": {"triplets", "active", "anchors_without_positive", "anchors_without_negative"},
    "lifted_structure": {"positive_pairs", "active_pairs"},
    "n_pair": {"anchors_without_positive", "anchors_without_negative"},
    "margin": {"triplets", "active", "anchors_without_positive", "anchors_without_negative"},
    "sigmoid": {"positive_pairs", "negative_pairs"},
}


@pytest.mark.parametrize("method", COUNTS)
def test_two_steps_on_pictures_with_counts_in_the_log(method, samples, cli, tmp_path):
    out = tmp_path / "run"
    done = cli("toy", "pretrain", samples, "--out", out, "--method", method, "--pairs", "patient", *SHORT)
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    for line in lines:
        assert set(line["counts"]) == COUNTS[method]
        assert line["per_relation"] == {}
        assert set(line["no_cross_positive"]) == {"same('patient')"}
    if method == "triplet":
        assert lines[0]["counts"]["triplets"] <= 24


@pytest.mark.parametrize("method", ["triplet", "margin"])
def test_two_steps_on_signals(method, plugin, cli, tmp_path):
    plugin("tone", "from tone_domain import *\n")
    table = tmp_path / "samples.parquet"
    assert cli("tone", "demo-data", tmp_path / "data").code == 0
    assert cli("tone", "scan", tmp_path / "data", "-o", table).code == 0
    done = cli("tone", "pretrain", table, "--out", tmp_path / "run", "--method", method, "--pairs", "person", *SHORT)
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--method", "triplet", "--set", "method.margin=9"), "method.margin"),
        (("--method", "triplet", "--set", "method.miner=hardest"), "batch_hard"),
        (("--method", "siamese", "--set", "method.loss=cosine", "--set", "method.margin=3"), "no cosine"),
        (("--method", "sigmoid", "--set", "method.temperature=0"), "method.temperature"),
    ],
)
def test_bad_options_are_one_line_and_a_hint(words, told, samples, cli, tmp_path):
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--pairs", "patient", *SHORT, *words)
    assert done.code == 2
    assert told in done.err
    assert "Traceback" not in done.err
    assert len(done.err.strip().splitlines()) <= 3
    assert not Path(tmp_path / "run").exists()
