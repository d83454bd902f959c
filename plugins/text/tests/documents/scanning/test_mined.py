"""Mined negatives in the forms of other programs, and files of an earlier scan that its source no longer has."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.cli.work.scan import scan_to
from ssl_domains_text.documents.domain import TEXT
from ssl_domains_text.documents.files import MinedNegatives, read_mined

from ..scanned import note, problems, scan


def write(path: Path, *entries: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (one if isinstance(one, str) else json.dumps(one) for one in entries)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "in/corpus.jsonl", *({"_id": str(number), "text": f"w{number} x y"} for number in range(5)))
    write(tmp_path / "in/queries.jsonl", {"_id": "5", "text": "w1"})
    return tmp_path / "in"


OBJECTS = {
    "qid": 5,
    "pos": [{"pid": 1, "ce-score": 3.2}],
    "neg": {"bm25": [{"pid": 2, "ce-score": 1.0}, {"docid": "3"}]},
}


@pytest.mark.parametrize(
    "entry",
    [
        OBJECTS,
        {"qid": 5, "pos": [1], "neg": {"bm25": [2, 3, 1], "dense": None}},
        {"qid": "5", "pos": 1, "neg": [{"doc_id": 2.0}, 3]},
        {"qid": "5", "pos": ["1"], "neg": {"one": "2", "other": [3]}},
    ],
)
def test_documents_are_ids_or_objects(folder: Path, tmp_path: Path, entry: dict[str, object]) -> None:
    write(folder / "hard-negatives.jsonl", entry)
    scanned = scan(folder, tmp_path / "out")
    assert problems(scanned) == {}
    assert pl.read_parquet(tmp_path / "out/samples.mined.parquet").rows() == [("q/5", "d/2"), ("q/5", "d/3")]
    assert pl.read_parquet(tmp_path / "out/samples.relevance.parquet").select("a", "b").rows() == [("q/5", "d/1")]


def test_one_negative_may_stand_as_an_object(tmp_path: Path) -> None:
    path = write(tmp_path / "mined.jsonl", {"qid": 5, "pos": [], "neg": {"pid": 2, "score": 1.5}})
    assert read_mined(path) == MinedNegatives([("5", "2")])


def test_mined_negatives_of_parquet_and_csv(folder: Path, tmp_path: Path) -> None:
    pl.DataFrame([{"qid": 5, "pos": [1], "neg": {"bm25": [2], "dense": [3]}}]).write_parquet(folder / "mined.parquet")
    write(folder / "mined.csv", "qid,pos,neg", '5,[1],"[2, 4]"', "5,,3")
    scanned = scan(folder, tmp_path / "out")
    assert problems(scanned) == {}
    mined = pl.read_parquet(tmp_path / "out/samples.mined.parquet").unique().sort("b")
    assert mined.rows() == [("q/5", "d/2"), ("q/5", "d/3"), ("q/5", "d/4")]


def test_what_is_no_document_is_a_problem_and_all_are_counted(folder: Path, tmp_path: Path) -> None:
    broken = [{"qid": 5, "pos": [], "neg": [{"rank": 1}]}, {"qid": None, "pos": [], "neg": [2]}, {"qid": 5}]
    write(folder / "mined.jsonl", {"qid": 5, "pos": [1], "neg": [2]}, *broken, *["{"] * 120)
    found = problems(scan(folder, tmp_path / "out"))
    assert found["mined.jsonl:2"] == "in 'neg' there is no id of a document: {'rank': 1}"
    assert found["mined.jsonl:3"] == "no id of a query in 'qid'"
    assert found["mined.jsonl:4"] == "no mined negatives: qid, pos and neg are expected"
    assert found["mined.jsonl"] == "23 more lines can't be read"
    assert pl.read_parquet(tmp_path / "out/samples.mined.parquet").rows() == [("q/5", "d/2")]


def test_mined_negatives_of_pieces_are_all_pieces(folder: Path, tmp_path: Path) -> None:
    write(folder / "mined.jsonl", {"qid": 5, "pos": [1], "neg": [2, "gone"]})
    scan(folder, tmp_path / "out", chunk=2)
    mined = pl.read_parquet(tmp_path / "out/samples.mined.parquet")
    assert mined.rows() == [("q/5", "d/2#1"), ("q/5", "d/2#2"), ("q/5", "d/gone")]


def test_links_count_documents_and_not_pieces(folder: Path, tmp_path: Path) -> None:
    write(folder / "duplicates.tsv", "id\tduplicate_of", "1\t2", "1\tgone", "lost\tgone")
    scanned = scan(folder, tmp_path / "out", chunk=2)
    assert note(scanned, "duplicates:") == (
        "duplicates: 3 links in samples.duplicates.parquet; 2 name a document that is not there"
    )


def test_files_of_an_earlier_scan_go_with_what_they_were_made_of(folder: Path, tmp_path: Path) -> None:
    sources = (
        write(folder / "duplicates.tsv", "id\tduplicate_of", "1\t2"),
        write(folder / "mined.jsonl", {"qid": 5, "pos": [1], "neg": [2]}),
    )
    table = tmp_path / "samples.parquet"
    written = [table.with_name(f"samples.{kind}.parquet") for kind in ("duplicates", "mined", "relevance")]
    scan_to(TEXT, folder, table)
    assert all(one.is_file() for one in written)
    for one in sources:
        one.unlink()
    scan_to(TEXT, folder, table)
    assert not any(one.is_file() for one in written)


@pytest.mark.parametrize("content", ["mined", "damaged"])
def test_negatives_of_text_mine_outlive_a_scan(folder: Path, tmp_path: Path, content: str) -> None:
    path = tmp_path / "samples.mined.parquet"
    if content == "mined":
        pl.DataFrame({"a": ["q/5"], "b": ["d/2"], "rank": [1]}).write_parquet(path)
    else:
        path.write_bytes(b"PAR1")
    before = path.read_bytes()
    scan_to(TEXT, folder, tmp_path / "samples.parquet")
    assert path.read_bytes() == before
