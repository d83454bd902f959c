"""Inputs rebuilt from bug reports of other libraries: what a scan and a score say of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ssl_domains.probes.ranking import read_judgements, read_run, score_run, without_self_hits
from ssl_domains.samples import read_table
from ssl_domains_text.documents.files import read_mined

from .scanned import note, problems, scan, texts

pytestmark = pytest.mark.shared_data
Case = Callable[[str], tuple[Path, dict[str, Any]]]


@pytest.fixture(scope="module")
def case(shared_data: Path) -> Case:
    """The folder of a case, and what is expected of it."""
    folder = shared_data.parent / "cases" / "text"
    if not folder.is_dir():
        pytest.skip("the folder of cases is not beside the data sets")

    def found(name: str) -> tuple[Path, dict[str, Any]]:
        return folder / name, json.loads((folder / name / "case.json").read_text())["expected"]

    return found


def test_t01_a_query_that_is_a_document(case: Case, tmp_path: Path) -> None:
    folder, expected = case("T01")
    scanned = scan(folder, tmp_path)
    assert "1 query is a document too, 1 under the same id" in note(scanned, "is a document too")
    found = texts(scanned.path)
    queries = {name[2:]: text for name, text in found.items() if name.startswith("q/")}
    documents = {name[2:]: text for name, text in found.items() if name.startswith("d/")}
    kept = without_self_hits(read_run(folder / "run.trec"), queries, documents)
    assert kept.dropped == expected["dropped"]
    scores = score_run(kept.run, read_judgements(folder / "qrels/test.tsv"), at=(1,))
    assert scores.values["nDCG@1"] == expected["ndcg1"]


def test_t02_equal_scores(case: Case) -> None:
    folder, expected = case("T02")
    run, judged = read_run(folder / "run.trec"), read_judgements(folder / "qrels/test.tsv")
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        scores = score_run(run[order], judged)
        assert scores.values["MRR@10"] == pytest.approx(expected["mrr_trec"])
    assert any("descending id" in line for line in scores.notes())


def test_t03_a_query_without_a_hit(case: Case) -> None:
    folder, expected = case("T03")
    scores = score_run(read_run(folder / "run.trec"), read_judgements(folder / "qrels/test.tsv"))
    assert scores.values["MRR@10"] == expected["mrr10"]
    assert scores.unanswered == expected["unanswered"]
    assert "1 query has no hit: counted as 0" in scores.notes()


def test_t04_judged_documents_that_are_not_there(case: Case, tmp_path: Path) -> None:
    folder, expected = case("T04")
    said = note(scan(folder, tmp_path), "are missing in the collection")
    assert said.startswith(f"{expected['missing']} of {expected['positives']} positives are missing")
    assert said.endswith("recall can't be above 0.2500")


def test_t05_empty_documents(case: Case, tmp_path: Path) -> None:
    folder, expected = case("T05")
    scanned = scan(folder, tmp_path)
    assert problems(scanned) == {
        f"corpus.jsonl:{line}": f"the document {name!r} is empty"
        for line, name in zip((3, 4), expected["empty"], strict=True)
    }
    assert not set(read_table(scanned.path).frame["id"]) & set(expected["empty"])


def test_t06_pairs_that_share_a_query_or_a_document(case: Case, tmp_path: Path) -> None:
    folder, expected = case("T06")
    scanned = scan(folder, tmp_path)
    found = texts(scanned.path)
    assert sorted(found.values()) == ["a1", "a2", "a3", "a4", "a5", "p1", "p2", "p3", "p4", "p5"]
    edges = pl.read_parquet(tmp_path / "samples.relevance.parquet")
    slots = list(edges.select("a", "b").iter_rows())
    assert len(slots) == 6
    linked_cells = sum(
        (one, other) in set(slots) for i, (one, _) in enumerate(slots) for j, (_, other) in enumerate(slots) if i != j
    )
    assert linked_cells == expected["linked_offdiagonal"]


def test_t07_mined_negatives_that_are_positives(case: Case) -> None:
    folder, expected = case("T07")
    read = read_mined(folder / "hard.jsonl")
    assert read.removed == expected["removed"]
    assert read.negatives == [("571018", "1"), ("571018", "2"), ("571018", "3")]
    assert read_mined(folder / "hard.jsonl", [("571018", "3")]).removed == expected["removed"] + 1


def test_t15_documents_that_are_cut(case: Case, tmp_path: Path) -> None:
    folder, expected = case("T15")
    scanned = scan(folder, tmp_path)
    said = note(scanned, "an encoder of 200 words cuts")
    assert f"{expected['cut']} of 4 documents (50%), 66% of all words" in said
    assert "'needle' of 'd3'" in note(scanned, "only behind the cut")
    cut = scan(folder, tmp_path / "cut", chunk=200)
    assert texts(cut.path)["d/d3#4"].endswith("needle")
    assert not any("behind the cut" in line for line in cut.result.notes)
