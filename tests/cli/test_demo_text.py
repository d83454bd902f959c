"""The demonstration of documents: its lines can be typed, its table is that of the scores, its export is compared."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command_lines import check_line
from ssl_domains.cli.app import run
from ssl_domains.cli.command_line import typed
from ssl_domains.cli.work.demo import DocumentsDemonstration
from ssl_domains.cli.work.demo import demonstration as base
from ssl_domains.cli.work.demo.folder import COMMANDS
from ssl_domains.cli.work.demo.text_documents import demonstration as module
from ssl_domains.cli.work.demo.text_documents.demonstration import SHOWN_ARM, false_negatives
from ssl_domains.cli.work.demo.text_documents.lines import ARMS, DocumentLines, arm_of
from ssl_domains.cli.work.demo.text_documents.page import SHOWN, TOP
from ssl_domains.cli.work.demo.text_documents.scores import METRIC, RECALL, DocumentScores
from ssl_domains.errors import UsageError
from ssl_domains.evaluation import sentence_models
from ssl_domains.extending import Registry

SCORES = {
    "batch-plain": 0.25, "batch-ignored": 0.31, "batch-positives": 0.41,
    "refreshed-plain": 0.22, "refreshed-ignored": 0.27, "refreshed-positives": 0.37,
}  # fmt: skip


@pytest.fixture
def demonstration(tmp_path: Path) -> DocumentsDemonstration:
    return DocumentsDemonstration(DocumentLines(tmp_path / "demo"), Registry().domain("text"))


def scored(lines: DocumentLines, scores: dict[str, float], words: float = 0.45) -> None:
    """Write the files that ``text score`` would leave: each seed is 0.01 better than the one before."""

    def write(folder: Path, by: str, value: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        document = {
            "values": {METRIC: value},
            "recall_by": {"column": "wording", "values": {"engineer": {RECALL: value / 2}, "customer": {RECALL: 1.0}}},
        }
        lines.scores(folder, by).write_text(json.dumps(document))

    write(lines.words, "words", words)
    for arm in ARMS:
        for place, seed in enumerate(lines.all_seeds):
            folder = lines.run_folder(lines.run_name(arm, seed))
            write(folder, "vectors", scores[arm.name] + 0.01 * place)
            write(folder, "both", scores[arm.name] + 0.1)


def test_every_line_can_be_typed(demonstration: DocumentsDemonstration) -> None:
    *lines, remark = demonstration.script()
    assert "SentenceTransformer" in remark
    registry = Registry()
    for line in map(typed, lines):
        check_line(line, registry)
    words = [shlex.split(typed(one)) for one in lines]
    made = [one[one.index("--out") + 1] for one in words if "--out" in one]
    assert len(set(made)) == len(made)
    trained = [one for one in words if one[2] == "pretrain"]
    assert len(trained) == 18
    assert sum("train.seed=1" in one for one in trained) == 6
    searched = [(one[3], one[one.index("--by") + 1]) for one in words if one[2] == "search" and "--by" in one]
    assert len(searched) == len(set(searched)) == 2 * 18 + 1


def test_arms_differ_in_negatives_and_in_what_copies_are(demonstration: DocumentsDemonstration) -> None:
    lines = demonstration.lines

    def rule(where: str, what: str) -> list[str]:
        words = lines.pretrain(arm_of(where, what), 0)
        return [words[words.index("--pairs") + 1], *words]

    for where in ("batch", "refreshed"):
        plain, ignored, positives = (rule(where, what) for what in ("plain", "ignored", "positives"))
        assert "links=" not in plain[0]
        assert f"links='{lines.links}'" in ignored[0]
        assert "as_positives" not in ignored[0]
        assert ignored[0].replace(f"links='{lines.links}'", f"links='{lines.links}', as_positives=True") == positives[0]
    assert {"method.top=0", "views.n=2"} <= set(rule("batch", "plain"))
    assert "negatives=" not in rule("batch", "plain")[0]
    refreshed = rule("refreshed", "ignored")
    assert "negatives='linked(\"mined\")'" in refreshed[0]
    # Warm-up of a quarter, then a refresh each eighth of 400 steps.
    assert {"views.n=3", "method.start=2", "pairs.epoch_steps=50"} <= set(refreshed)
    assert f"pairs.warmup=linked('{lines.mined('ignored')}')" in refreshed
    assert f"pairs.warmup=linked('{lines.mined('plain')}')" in rule("refreshed", "plain")
    assert "--links" not in lines.mine("plain")
    assert "--links" in lines.mine("ignored")


def test_the_table_is_that_of_the_scores(demonstration: DocumentsDemonstration) -> None:
    scored(demonstration.lines, SCORES)
    headings, rows = DocumentScores.read(demonstration.lines).table()
    assert headings == ["search", "nDCG@10", "nDCG@10 with words", "recall@30, engineers' words"]
    assert rows[0] == ["words alone (BM25)", "0.450", "–", "0.225"]
    assert rows[1] == ["in-batch, copies are negatives", "0.260 (0.250–0.270)", "0.350 (0.350–0.350)",
                       "0.130 (0.125–0.135)"]  # fmt: skip
    assert [row[0] for row in rows[1:]] == [arm.about for arm in ARMS]


def test_whichever_search_wins_is_said(demonstration: DocumentsDemonstration) -> None:
    scored(demonstration.lines, SCORES)
    scores = DocumentScores.read(demonstration.lines)
    first, gains, refreshing, other = scores.sentences
    assert first == (
        "nDCG@10: words and vectors of in-batch, copies as positives 0.510, then words alone (BM25) 0.450, then "
        "vectors of in-batch, copies as positives 0.420."
    )
    assert "+0.060 with in-batch negatives, +0.050 with refreshed negatives" in gains
    assert "-0.030, -0.040, -0.040" in refreshing
    assert "found best by in-batch, copies as positives (recall@30 0.210; by words 0.225)" in other
    assert not scores.broken()
    scored(demonstration.lines, {**SCORES, "refreshed-plain": 0.26, "batch-plain": 0.5}, words=0.9)
    scores = DocumentScores.read(demonstration.lines)
    winners = "nDCG@10: words alone (BM25) 0.900, then words and vectors of in-batch, copies are negatives 0.600"
    assert scores.sentences[0].startswith(winners)
    assert scores.broken() == [
        "ignoring copies gains -0.190 with in-batch negatives, less than 0.03",
        "ignoring copies gains +0.010 with refreshed negatives, less than 0.03",
    ]
    assert len(scores.sentences) == 6


def test_one_seed_has_no_spread(tmp_path: Path) -> None:
    lines = DocumentLines(tmp_path / "demo", seed=5, seeds=1)
    scored(lines, SCORES)
    assert DocumentScores.read(lines).table()[1][1][1:] == ["0.250", "0.350", "0.125"]


def test_it_plays_its_lines_in_order(
    demonstration: DocumentsDemonstration, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = demonstration.lines
    invoked: list[list[str]] = []
    decoded: list[Path] = []

    def run_jobs(jobs: Any, *rest: Any) -> None:
        assert len(jobs) == 18
        scored(lines, SCORES)

    def invoke(words: Sequence[str]) -> None:
        invoked.append(list(words))
        print("hidden\nnote: 1 query is a document too")
        print("5 of 9 negatives say the same as the positive:\n  1. query     a\npage: b.html")

    monkeypatch.setattr(base, "run_jobs", run_jobs)
    monkeypatch.setattr(DocumentsDemonstration, "decode", lambda self, *tables: decoded.extend(tables))
    monkeypatch.setattr(DocumentsDemonstration, "_page", lambda self, scores: lines.page)
    monkeypatch.setattr(DocumentsDemonstration, "_compared", lambda self: "equal")
    assert demonstration.play(invoke, lambda words: 0) == "equal"
    names = " ".join(words[1] for words in invoked)
    assert names == "demo-data scan pairs link-duplicates index search score mine mine search export"
    assert invoked[-1][2] == str(lines.run_folder(lines.run_name(SHOWN_ARM, 0)))
    assert decoded == [lines.samples]
    out = capsys.readouterr()
    assert "not evidence" in out.out
    assert "note: 1 query is a document too\n" in out.out
    assert "words alone (BM25)" in out.out
    assert str(lines.page) in out.err
    written = (lines.out / COMMANDS).read_text(encoding="utf-8").splitlines()
    assert written[:-1] == list(map(typed, demonstration.script()[:-1]))
    assert written[-1].startswith("# in Python")


def test_false_negatives_are_shown_without_the_report_before_them() -> None:
    report = "samples 9\n5 of 9 negatives say the same as the positive:\n\n  1. query     a\n     negative  b\npage: c"
    assert false_negatives(report) == "\n".join(report.splitlines()[1:-1])


def test_without_sentence_transformers_nothing_begins(
    demonstration: DocumentsDemonstration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentence_models.folder, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="sentence-transformers, which is not installed"):
        demonstration.play(lambda words: None, lambda words: 0)
    assert not demonstration.lines.out.exists()


def quiet(*words: str) -> str:
    """Run a command line and return what it prints."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(list(words))
    assert code == 0, err.getvalue()
    return out.getvalue()


@pytest.mark.slow
def test_every_printed_number_is_recomputed_from_the_run_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole demonstration with a training of eight steps of each arm: faults, false negatives, hits, an export."""
    pytest.importorskip("sentence_transformers")
    folder = tmp_path / "demo"
    printed = quiet("demo", "--domain", "text", "--out", str(folder), "--steps", "8", "--seeds", "1")
    assert "1 of 7,681 positives are missing" in printed
    assert "1 query is a document too" in printed
    assert "the document 't-empty' is empty" in printed
    assert len(re.findall(r"^ +\d+\. query ", printed, re.M)) == 10
    rows = {cells[0]: cells[1:] for line in printed.splitlines() if len(cells := re.split(r" {2,}", line.strip())) == 4}
    lines = DocumentLines(folder, steps=8, seeds=1)

    def stored(where: Path, by: str) -> list[str]:
        document = json.loads(lines.scores(where, by).read_text())
        return [f"{document['values'][METRIC]:.3f}", f"{document['recall_by']['values']['engineer'][RECALL]:.3f}"]

    value, other = stored(lines.words, "words")
    assert rows["words alone (BM25)"] == [value, "–", other]
    for arm in ARMS:
        where = lines.run_folder(lines.run_name(arm, 0))
        value, other = stored(where, "vectors")
        assert rows[arm.about] == [value, stored(where, "both")[0], other]
    assert re.search(r"the vectors of [\d,]+ texts are equal to those of the run", printed.splitlines()[-1])
    page = lines.page.read_text(encoding="utf-8")
    assert page.count("<h3>") == SHOWN
    assert page.count('class="mark"') == SHOWN * 3 * TOP
    assert "http" not in page

    from ssl_domains.cli.work.demo.text_documents import vectors
    from ssl_domains.errors import DataError

    monkeypatch.setattr(sentence_models.SentenceModel, "forward", lambda self, texts: _zeros(len(texts)))
    with pytest.raises(DataError, match="vectors of the export differ"):
        vectors.compare_vectors(lines, Registry().domain("text"), lines.run_folder(lines.run_name(SHOWN_ARM, 0)))
    assert module.TITLE in printed


def _zeros(count: int) -> Any:
    import torch

    return torch.from_numpy(np.zeros((count, 64), np.float32))
