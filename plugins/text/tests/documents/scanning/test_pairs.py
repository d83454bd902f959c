"""Clicks and pairs: what a row says of a query and a document, and the ids that a scan makes for texts without one."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.samples import read_table
from ssl_domains.testing import check_reader
from ssl_domains_text.documents.reader import DocumentReader

from ..scanned import note, problems, scan, texts


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def judged(out: Path) -> dict[tuple[str, str], tuple[float, int, int]]:
    """Text of the query and of the document → grade, relevant and ignored of their edge."""
    edges = pl.read_parquet(out / "samples.relevance.parquet")
    found = texts(out / "samples.parquet")
    columns = edges.select("a", "b", "grade", "relevant", "ignored").iter_rows()
    return {(found[a], found[b]): (grade, relevant, ignored) for a, b, grade, relevant, ignored in columns}


def test_a_label_of_a_pair_is_its_grade(tmp_path: Path) -> None:
    write(
        tmp_path / "in/train.csv",
        "sentence1,sentence2,label",
        "how to mend a fridge,best pizza,0",
        "fridge leaks,my fridge drips,1",
        "fridge leaks,unknown,-1",
        "fridge leaks,no label,",
        "fridge leaks,a word,maybe",
    )
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert judged(tmp_path / "out") == {
        ("how to mend a fridge", "best pizza"): (0.0, 0, 0),
        ("fridge leaks", "my fridge drips"): (1.0, 1, 0),
        ("fridge leaks", "unknown"): (0.0, 0, 1),
    }
    meaning = "it says how well the texts belong together, 0 for not at all"
    rename = "A column that says something else needs another name"
    assert problems(scanned) == {
        "train.csv:5": f"its label is missing: {meaning}. {rename}",
        "train.csv:6": f"its label is 'maybe', and no number: {meaning}. {rename}",
    }
    assert "its pairs have grades from 0 to 1; 1 of 3 are relevant" in note(scanned, "pairs have grades")


@pytest.mark.parametrize(("high", "low"), [(True, False), ("true", "False"), (1, 0), ("1", "0"), (1.0, 0.0)])
def test_labels_may_be_truth_values(tmp_path: Path, high: object, low: object) -> None:
    rows = [
        {"question": "how do glaciers form", "answer": "from snow", "label": high},
        {"question": "how do glaciers form", "answer": "a cave", "label": low},
    ]
    write(tmp_path / "in/wiki.jsonl", *map(json.dumps, rows))
    scan(tmp_path / "in", tmp_path / "out")
    assert judged(tmp_path / "out") == {
        ("how do glaciers form", "from snow"): (1.0, 1, 0),
        ("how do glaciers form", "a cave"): (0.0, 0, 0),
    }


def test_scores_of_pairs_are_grades(tmp_path: Path) -> None:
    lines = ("sentence1\tsentence2\tscore", "a plane flies\tan aircraft flies\t4.6", "a plane flies\ta man eats\t0.4")
    write(tmp_path / "in/sts.tsv", *lines)
    scanned = scan(tmp_path / "in", tmp_path / "out", relevant_from=3.0)
    assert judged(tmp_path / "out") == {
        ("a plane flies", "an aircraft flies"): (4.6, 1, 0),
        ("a plane flies", "a man eats"): (0.4, 0, 0),
    }
    said = note(scanned, "pairs have grades")
    assert (
        said == "sts.tsv: its pairs have grades from 0.4 to 4.6; 1 of 2 are relevant, from grade 3 on (--relevant-from)"
    )


def test_pairs_without_a_grade_have_no_note(tmp_path: Path) -> None:
    write(tmp_path / "in/pairs.jsonl", json.dumps({"anchor": "one", "positive": "two"}))
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert judged(tmp_path / "out") == {("one", "two"): (1.0, 1, 0)}
    assert not [said for said in scanned.result.notes if "grades" in said]


@pytest.mark.parametrize(
    "lines",
    [
        ("query,doc_id,position,clicked", "cold box,d1,1,1", "cold box,d2,2,0"),
        ("query,doc_id,clicked,time", "cold box,d1,true,12", "cold box,d2,false,13"),
        ("query,doc_id,clicks", "cold box,d1,7", "cold box,d2,0"),
        ("query,clicked_id,clicks", "cold box,d1,1", "cold box,d2,0"),
        ("query,document,is_clicked", "cold box,d1,yes", "cold box,d2,no"),
    ],
)
def test_a_document_without_a_click_is_not_relevant(tmp_path: Path, lines: tuple[str, ...]) -> None:
    write(tmp_path / "in/corpus.csv", "id,text", "d1,one fridge", "d2,two ovens", "1,third", "0,fourth")
    write(tmp_path / "in/log-of-clicks.csv", *lines)
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert judged(tmp_path / "out") == {("cold box", "one fridge"): (1.0, 1, 0)}
    assert note(scanned, "no click").endswith("1 row; 1 line has no click, and no judgement comes of it")


def test_clicked_may_hold_ids_beside_another_column(tmp_path: Path) -> None:
    write(tmp_path / "in/corpus.csv", "id,text", "d1,one fridge", "7,two ovens")
    write(tmp_path / "in/clicks.csv", "query,clicked,document", "cold box,d1,shown as text", "hot box,d1,x")
    write(tmp_path / "in/more.clicks.csv", "query,clicked,time", "hot box,7,12:00")
    write(tmp_path / "in/clicks.3.csv", "query,clicked,document", "cool box,7,two ovens")
    scan(tmp_path / "in", tmp_path / "out")
    assert sorted(judged(tmp_path / "out")) == [
        ("cold box", "one fridge"), ("cool box", "two ovens"), ("hot box", "one fridge"), ("hot box", "two ovens")
    ]  # fmt: skip


def test_a_number_of_clicks_that_is_none_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path / "in/corpus.csv", "id,text", "d1,one fridge")
    write(tmp_path / "in/clicks.csv", "query,doc_id,clicks", "cold box,d1,many", "cold box,d1,2")
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert problems(scanned) == {"clicks.csv:2": "its field 'clicks' is no number of clicks: 'many'"}
    assert judged(tmp_path / "out") == {("cold box", "one fridge"): (1.0, 1, 0)}


def test_documents_with_a_column_of_clicks_are_documents(tmp_path: Path) -> None:
    write(tmp_path / "in/articles.csv", "doc_id,title,text,clicks", "d1,Fridge,one,5", "d2,Oven,two,9")
    write(tmp_path / "in/clickbait.csv", "id,title,text", "d3,You won't believe,three")
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {"d/d1": "Fridge one", "d/d2": "Oven two", "d/d3": "You won't believe three"}


def test_a_log_is_known_by_its_columns(tmp_path: Path) -> None:
    write(tmp_path / "in/corpus.csv", "id,text", "d1,one fridge")
    write(tmp_path / "in/january.csv", "query,doc_id,clicks", "cold box,d1,3")
    scan(tmp_path / "in", tmp_path / "out")
    assert judged(tmp_path / "out") == {("cold box", "one fridge"): (1.0, 1, 0)}


@pytest.mark.parametrize("names", [("jan/clicks.tsv", "feb/clicks.tsv"), ("clicks.tsv", "clicks.jsonl")])
def test_logs_of_one_name_keep_their_queries_apart(tmp_path: Path, names: tuple[str, str]) -> None:
    write(tmp_path / "in/corpus.csv", "id,text", "d1,one fridge", "d2,two ovens")
    for name, query, document in zip(names, ("cold box", "hot box"), ("d1", "d2"), strict=True):
        entry = {"query": query, "doc_id": document}
        write(tmp_path / "in" / name, json.dumps(entry) if name.endswith("jsonl") else f"{query}\t{document}")
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert set(judged(tmp_path / "out")) == {("cold box", "one fridge"), ("hot box", "two ovens")}
    assert problems(scanned) == {}
    assert {f"q/{name}-1" for name in names} <= set(texts(scanned.path))


def test_pairs_of_one_name_keep_their_texts_apart(tmp_path: Path) -> None:
    for folder in "ab":
        write(
            tmp_path / "in" / folder / "train.jsonl", json.dumps({"anchor": f"{folder} q", "positive": f"{folder} d"})
        )
    scan(tmp_path / "in", tmp_path / "out")
    assert set(judged(tmp_path / "out")) == {("a q", "a d"), ("b q", "b d")}


def test_texts_without_ids_are_kept_from_every_file(tmp_path: Path) -> None:
    write(tmp_path / "in/a.csv", "title,text", "A,alpha", "B,beta")
    assert texts(scan(tmp_path / "in", tmp_path / "one").path) == {"d/2": "A alpha", "d/3": "B beta"}
    write(tmp_path / "in/b/b.jsonl", '{"text": "gamma"}', '{"_id": "3", "text": "delta"}', '{"text": "epsilon"}')
    scanned = scan(tmp_path / "in", tmp_path / "two")
    assert texts(scanned.path) == {
        "d/a.csv:2": "A alpha", "d/a.csv:3": "B beta", "d/b/b.jsonl:1": "gamma", "d/3": "delta",
        "d/b/b.jsonl:3": "epsilon",
    }  # fmt: skip
    assert problems(scanned) == {}


def test_a_line_without_an_id_does_not_take_the_id_of_another(tmp_path: Path) -> None:
    write(tmp_path / "in/corpus.jsonl", '{"_id": "2", "text": "with"}', '{"text": "without"}')
    assert texts(scan(tmp_path / "in", tmp_path / "out").path) == {"d/2": "with", "d/corpus.jsonl:2": "without"}


def test_values_that_are_no_text(tmp_path: Path) -> None:
    write(
        tmp_path / "in/corpus.jsonl",
        '{"_id": "1", "text": ["first part", "second", 3]}',
        '{"_id": "2", "text": {"en": "hello"}}',
        '{"_id": "3", "title": "only", "text": NaN}',
        '{"_id": "4", "text": NaN}',
        '{"_id": "5", "text": 7}',
        '{"_id": NaN, "text": "no id"}',
        '{"_id": "6", "text": [["nested"]]}',
        '{"_id": "7", "text": true}',
    )
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {"d/1": "first part second 3", "d/3": "only", "d/5": "7"}
    assert problems(scanned) == {
        "corpus.jsonl:2": "its field 'text' is no text, but a value of type dict",
        "corpus.jsonl:4": "the document '4' is empty",
        "corpus.jsonl:6": "no id: its field '_id' is missing",
        "corpus.jsonl:7": "its field 'text' is no text, but a value of type list",
        "corpus.jsonl:8": "its field 'text' is no text, but a value of type bool",
    }


def test_bytes_of_parquet_are_text(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    frame = pl.DataFrame({"_id": [b"1", b"2"], "text": ["a café".encode(), b"caf\xe9"]})
    frame.write_parquet(tmp_path / "in/corpus.parquet")
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {"d/1": "a café"}
    assert problems(scanned) == {"corpus.parquet:2": "its field 'text' is no text, but a value of type bytes"}


def test_a_list_of_positives_is_a_pair_for_each(tmp_path: Path) -> None:
    rows = [
        {"query": "q", "positive": ["p one", "p two"]},
        {"query": "q", "positive": "p three"},
        {"query": ["q"], "positive": "x"},
    ]
    write(tmp_path / "in/train.jsonl", *map(json.dumps, rows))
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert set(judged(tmp_path / "out")) == {("q", "p one"), ("q", "p two"), ("q", "p three")}
    assert problems(scanned) == {"train.jsonl:3": "its field 'query' is no text"}
    assert len(read_table(scanned.path)) == 4
    without_copy = check_reader(DocumentReader(), tmp_path / "in")
    assert {name: text for name, text in texts(without_copy.samples).items() if name.startswith("d/")} == {
        "d/train-1": "p one", "d/train-2": "p two", "d/train-3": "p three"
    }  # fmt: skip
