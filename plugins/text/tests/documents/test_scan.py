"""Scans of documents, queries and judgements in all their forms, and what a scan says of them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.pairs import linked
from ssl_domains.samples import read_table
from ssl_domains.stores import ArrayStore
from ssl_domains.testing import check_reader
from ssl_domains_text.documents.files import Fault, Found, judgements_of, recognise
from ssl_domains_text.documents.reader import DocumentReader

from .scanned import note, problems, scan, texts


def write_lines(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def write_json(path: Path, *entries: dict[str, object]) -> Path:
    return write_lines(path, *(json.dumps(one, ensure_ascii=False) for one in entries))


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "beir"
    write_json(
        folder / "corpus.jsonl",
        {"_id": "d1", "title": "River", "text": "The river is long.\u2028It ends\nin the sea."},
        {"_id": "d2", "title": "", "text": "Stones are hard."},
        {"_id": "d3", "title": "Copy", "text": "of a text"},
        {"_id": "d4", "text": "Copy of a  text "},
        {"_id": "d5", "title": " ", "text": "\t"},
    )
    write_json(
        folder / "queries.jsonl",
        {"_id": "q1", "text": "long river"},
        {"_id": "q2", "text": "hard stones"},
        {"_id": "q3", "text": "long  river"},
        {"_id": "d2", "text": "Stones are hard."},
    )
    write_lines(folder / "qrels/train.tsv", "query-id\tcorpus-id\tscore", "q1\td1\t1", "q2\td2\t2", "q2\td1\t0")
    write_lines(
        folder / "qrels/test.tsv", "query-id\tcorpus-id\tscore", "q3\td1\t1", "q2\td2\t2", "q3\tgone\t1", "q9\td1\t1"
    )
    return folder


def test_beir(beir: Path, tmp_path: Path) -> None:
    scanned = scan(beir, tmp_path / "out")
    table = read_table(scanned.path)
    assert texts(table) == {
        "d/d1": "River The river is long.\u2028It ends\nin the sea.",
        "d/d2": "Stones are hard.",
        "d/d3": "Copy of a text",
        "d/d4": "Copy of a  text",
        "q/q1": "long river",
        "q/q2": "hard stones",
        "q/q3": "long  river",
        "q/d2": "Stones are hard.",
    }
    assert problems(scanned) == {"corpus.jsonl:5": "the document 'd5' is empty"}
    sides = dict(table.frame.select("sample", "split").iter_rows())
    assert sides == {
        **dict.fromkeys(("d/d1", "d/d2", "d/d3", "d/d4", "q/q1"), "train"),
        **dict.fromkeys(("q/q2", "q/q3"), "test"),
        "q/d2": None,
    }
    assert "1 document repeats the text of another one, such as 'd4'" in note(scanned, "document repeats")
    assert "1 query is a document too, 1 under the same id" in note(scanned, "query is a document")
    assert "1 query is judged for training and for testing" in note(scanned, "judged for training")
    assert "1 test query has the text of a training query, such as 'q3'" in note(scanned, "test query has")
    missing = note(scanned, "positives are missing")
    assert "1 of 6 positives" in missing
    assert "'gone'" in missing
    assert f"{(1 + 1 + 0.5 + 1) / 4:.4f}" in missing
    assert "1 judged query is not there, such as 'q9'" in note(scanned, "not there")


def test_edges_are_read_by_linked(beir: Path, tmp_path: Path) -> None:
    scanned = scan(beir, tmp_path / "out")
    table = read_table(scanned.path)
    edges = tmp_path / "out" / "samples.relevance.parquet"
    bound = (1 * linked(edges, grade="relevant")).bind(table).relations[0].rule
    place = {name: row for row, name in enumerate(table.frame["sample"])}
    joined = {
        (a, b)
        for a in place
        for b in place
        if a < b and bound.matches_pairwise(*(pl.Series([place[x]]).to_numpy() for x in (a, b)))[0]
    }
    assert joined == {("d/d1", "q/q1"), ("d/d1", "q/q3"), ("d/d2", "q/q2")}


def test_texts_lie_in_a_copy_and_samples_are_regions_of_it(beir: Path, tmp_path: Path) -> None:
    scanned = scan(beir, tmp_path / "out")
    copies = sorted((tmp_path / "out" / "samples.texts").iterdir())
    assert len(copies) == 2
    table = read_table(scanned.path)
    store = ArrayStore.fill(tmp_path / "store", table, DocumentReader())
    samples = store.of(table)
    assert samples.decoded.all()
    read = {name: samples[row].tobytes().decode() for row, name in enumerate(table.frame["sample"])}
    assert read == texts(table)
    assert len(store) == 2  # the files, and not an array a text
    again = scan(beir, tmp_path / "out")
    assert texts(read_table(again.path)) == read
    after = sorted((tmp_path / "out" / "samples.texts").iterdir())
    assert len(after) == 2
    assert not set(after) & set(copies)  # the copies of the table before are gone


def test_a_reader_without_a_table_decodes_the_files_themselves(beir: Path) -> None:
    scanned = check_reader(DocumentReader(), beir)
    assert "copy_path" not in scanned.samples.columns
    assert texts(scanned.samples)["d/d4"] == "Copy of a  text"
    cut = check_reader(DocumentReader(), beir, chunk=2)
    assert texts(cut.samples)["d/d2#2"] == "hard."


def test_ms_marco(tmp_path: Path) -> None:
    folder = tmp_path / "msmarco"
    write_lines(folder / "collection.tsv", '7\tA "quoted text\u2028 here', "8\tAnother one", "9\tone\ttoo many")
    write_lines(folder / "queries.train.tsv", "1\tquoted")
    write_lines(folder / "queries.dev.tsv", "1\tquoted", "2\tanother", "3\tunjudged")
    write_lines(folder / "qrels.train.tsv", "1\t0\t7\t1")
    write_lines(folder / "qrels.dev.small.tsv", "2\t0\t8\t1")
    scanned = scan(folder, tmp_path / "out")
    table = read_table(scanned.path)
    assert texts(table) == {
        "d/7": 'A "quoted text\u2028 here', "d/8": "Another one", "q/1": "quoted", "q/2": "another", "q/3": "unjudged"
    }  # fmt: skip
    found = problems(scanned)
    assert found["collection.tsv:3"] == "3 fields, where the first line has 2"
    assert "is there twice" in found["queries.train.tsv:1"] + found.get("queries.dev.tsv:1", "")
    assert dict(table.frame.filter(side="query").select("id", "split").iter_rows()) == {
        "1": "train", "2": "test", "3": "test"
    }  # fmt: skip


def test_trec_dl_grades(tmp_path: Path) -> None:
    folder = tmp_path / "dl"
    write_lines(folder / "msmarco-docs.tsv", "D1\thttp://a\tTitle\tBody text", "D2\thttp://b\tOther\tText")
    write_lines(folder / "msmarco-test2019-queries.tsv", "19335\twhat is a body")
    write_lines(folder / "2019qrels-docs.txt", "19335 0 D1 1", "19335 0 D2 3")
    scanned = scan(folder, tmp_path / "out", relevant_from=2.0)
    assert texts(scanned.path) == {"d/D1": "Title Body text", "d/D2": "Other Text", "q/19335": "what is a body"}
    edges = pl.read_parquet(tmp_path / "out/samples.relevance.parquet")
    assert edges.select("b", "grade", "relevant").rows() == [("d/D1", 1.0, 0), ("d/D2", 3.0, 1)]


def test_click_logs_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "clicks"
    write_lines(folder / "documents.csv", "id,title,text", '1,"A, title","two', 'lines"', "2,Other,words")
    write_lines(folder / "clicks.tsv", "slow boat\t1", "slow  boat\t2", "slow boat\t1", "fast car\t2", "empty\t")
    scanned = scan(folder, tmp_path / "out")
    assert texts(scanned.path) == {
        "d/1": "A, title two\nlines", "d/2": "Other words", "q/clicks-1": "slow boat", "q/clicks-2": "fast car"
    }  # fmt: skip
    edges = pl.read_parquet(tmp_path / "out/samples.relevance.parquet")
    assert sorted(edges.select("a", "b").iter_rows()) == [
        ("q/clicks-1", "d/1"), ("q/clicks-1", "d/2"), ("q/clicks-2", "d/2")
    ]  # fmt: skip
    assert problems(scanned)["clicks.tsv:5"] == "no id of a clicked document"


def test_parquet(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    folder.mkdir()
    pl.DataFrame({"_id": [1, 2], "title": ["A", None], "text": ["b", "c"]}).write_parquet(folder / "corpus.parquet")
    pl.DataFrame({"_id": ["q"], "text": ["a b"]}).write_parquet(folder / "queries.parquet")
    pl.DataFrame({"query-id": ["q"], "corpus-id": [2], "score": [1]}).write_parquet(folder / "test.parquet")
    scanned = scan(folder, tmp_path / "out")
    assert texts(scanned.path) == {"d/1": "A b", "d/2": "c", "q/q": "a b"}
    assert read_table(scanned.path).frame.filter(side="query")["split"].to_list() == ["test"]


def test_plain_text_files_and_lines(tmp_path: Path) -> None:
    write_lines(tmp_path / "in/a/one.txt", "first line", "second line")
    write_lines(tmp_path / "in/b/one.txt", "another")
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {"d/a/one.txt": "first line\nsecond line", "d/b/one.txt": "another"}
    write_lines(tmp_path / "lee.cor", "café au lait", "second\x85line", encoding="latin-1")
    lines = scan(tmp_path / "lee.cor", tmp_path / "lines", lines=True, encoding="latin-1")
    assert texts(lines.path) == {"d/lee.cor:1": "café au lait", "d/lee.cor:2": "second\x85line"}
    assert check_reader(DocumentReader(), tmp_path / "lee.cor", lines=True, encoding="latin-1")


def test_bytes_that_are_no_text_name_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "corpus.jsonl").write_bytes(
        b'{"_id": "1", "text": "good"}\n{"_id": "2", "text": "caf\xe9"}\n{"_id": 3}\n{\n[1]\n'
    )
    scanned = scan(folder, tmp_path / "out")
    found = problems(scanned)
    assert found["corpus.jsonl:2"] == (
        "byte 26 of the line (0xE9) is no UTF-8: --encoding latin-1 reads it as Western European text"
    )
    assert found["corpus.jsonl:3"].startswith("no text: it has '_id'")
    assert found["corpus.jsonl:4"].startswith("it is no JSON: ")
    assert found["corpus.jsonl:5"] == "a JSON list, where an object with fields is expected"
    assert texts(scanned.path) == {"d/1": "good"}
    western = scan(folder, tmp_path / "west", encoding="latin-1")
    assert texts(western.path)["d/2"] == "café"


def test_many_faults_of_a_file_are_counted(tmp_path: Path) -> None:
    write_lines(tmp_path / "in/corpus.jsonl", '{"_id": "1", "text": "good"}', *["{"] * 250)
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert len(scanned.result.problems) == 101
    assert problems(scanned)["corpus.jsonl"] == "150 more entries can't be read"


def test_pieces_of_long_documents(tmp_path: Path) -> None:
    words = " ".join(f"wort{number}ß" for number in range(25))
    write_json(tmp_path / "in/corpus.jsonl", {"_id": "long", "text": words}, {"_id": "short", "text": "日本語 text"})
    write_json(tmp_path / "in/queries.jsonl", {"_id": "q", "text": words})
    write_lines(tmp_path / "in/qrels.tsv", "q 0 long 1")
    scanned = scan(tmp_path / "in", tmp_path / "out", chunk=10)
    found = texts(scanned.path)
    pieces = [found[f"d/long#{number}"] for number in (1, 2, 3)]
    assert " ".join(pieces) == words
    assert [len(piece.split()) for piece in pieces] == [10, 10, 5]
    assert found["q/q"] == words  # queries are not cut
    table = read_table(scanned.path)
    assert table.frame.filter(id="long")["chunk"].to_list() == [1, 2, 3]
    assert table.frame.filter(id="short")["length"].to_list() == [4]  # three characters and a word
    edges = pl.read_parquet(tmp_path / "out/samples.relevance.parquet")
    assert edges["b"].to_list() == ["d/long#1", "d/long#2", "d/long#3"]
    assert edges["document"].unique().to_list() == ["long"]


def test_judgements_of_another_collection_are_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "in/corpus.jsonl", {"_id": "1", "text": "a"})
    write_json(tmp_path / "in/queries.jsonl", {"_id": "q", "text": "a"})
    write_lines(tmp_path / "in/qrels.tsv", "q 0 x1 1", "q 0 x2 1")
    with pytest.raises(DataError, match="none of the 2 relevant documents is in the collection"):
        scan(tmp_path / "in", tmp_path / "out")
    assert list((tmp_path / "out").rglob("*.txt")) == []


def test_options_out_of_range(tmp_path: Path) -> None:
    for options, message in (
        ({"encoding": "latin2"}, "unknown encoding 'latin2'"),
        ({"chunk": 0}, "--chunk 0"),
        ({"words": 0}, "--words 0"),
        ({"relevant_from": 0.0}, "--relevant-from 0.0"),
        ({"chunks": 3}, "no option 'chunks'"),
    ):
        with pytest.raises(UsageError, match=message):
            DocumentReader().scan(tmp_path, **options)


def test_links_of_duplicates(tmp_path: Path) -> None:
    write_json(tmp_path / "in/corpus.jsonl", *({"_id": name, "text": f"text {name}"} for name in "abc"))
    write_lines(tmp_path / "in/duplicates.tsv", "a\tb", "a\tgone")
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert "2 links" in note(scanned, "duplicates:")
    assert "1 name a document that is not there" in note(scanned, "duplicates:")
    assert pl.read_parquet(tmp_path / "out/samples.duplicates.parquet").row(0) == ("d/a", "d/b")


def test_a_repeated_id_does_not_mix_the_pieces_of_two_documents(tmp_path: Path) -> None:
    write_json(
        tmp_path / "in/corpus.jsonl",
        {"_id": "a", "text": "w1 w2 w3 w4"},
        {"_id": "a", "text": "x1 x2 x3 x4 x5 x6 x7"},
        {"_id": "b", "text": "short"},
        {"_id": "b", "text": "y1 y2 y3 y4 y5"},
        {"_id": "c", "text": "z1 z2 z3"},
        {"_id": "c", "text": "v1"},
    )
    write_json(tmp_path / "in/queries.jsonl", {"_id": "a", "text": "w1"}, {"_id": "a", "text": "x1"})
    scanned = scan(tmp_path / "in", tmp_path / "out", chunk=2)
    assert texts(scanned.path) == {
        "d/a#1": "w1 w2", "d/a#2": "w3 w4", "d/b": "short", "d/c#1": "z1 z2", "d/c#2": "z3", "q/a": "w1"
    }  # fmt: skip
    assert problems(scanned) == {
        "corpus.jsonl:2": "the document 'a' is there twice: the first one counts",
        "corpus.jsonl:4": "the document 'b' is there twice: the first one counts",
        "corpus.jsonl:6": "the document 'c' is there twice: the first one counts",
        "queries.jsonl:2": "the query 'a' is there twice: the first one counts",
    }


def test_an_id_that_looks_like_a_piece(tmp_path: Path) -> None:
    documents = ({"_id": "x", "text": "one two three"}, {"_id": "x#1", "text": "four"}, {"_id": "y#1", "text": "five"})
    write_json(tmp_path / "in/corpus.jsonl", *documents)
    write_json(tmp_path / "in/queries.jsonl", {"_id": "q", "text": "four"})
    write_lines(tmp_path / "in/qrels.tsv", "q 0 x#1 1", "q 0 x 1")
    scanned = scan(tmp_path / "in", tmp_path / "out", chunk=2)
    assert texts(scanned.path) == {
        "d/x#1": "one two", "d/x#2": "three", "d/x#1#0": "four", "d/y#1#0": "five", "q/q": "four"
    }  # fmt: skip
    edges = pl.read_parquet(tmp_path / "out/samples.relevance.parquet")
    assert edges["b"].to_list() == ["d/x#1#0", "d/x#1", "d/x#2"]
    assert problems(scanned) == {}
    whole = scan(tmp_path / "in", tmp_path / "whole")
    assert {"d/x", "d/x#1", "d/y#1"} <= set(texts(whole.path))


def test_queries_without_a_judgement_are_no_test_queries_beside_judged_ones(tmp_path: Path) -> None:
    folder = tmp_path / "msmarco"
    write_lines(folder / "collection.tsv", "0\tone fridge", "1\ttwo ovens")
    for side, number in (("train", 10), ("dev", 11), ("eval", 12)):
        write_lines(folder / f"queries.{side}.tsv", f"{number}\tquery of {side}")
    write_lines(folder / "qrels.train.tsv", "10\t0\t0\t1")
    write_lines(folder / "qrels.dev.tsv", "11\t0\t1\t1")
    table = read_table(scan(folder, tmp_path / "out").path)
    sides = dict(table.frame.filter(side="query").select("id", "split").iter_rows())
    assert sides == {"10": "train", "11": "test", "12": None}
    write_lines(folder / "qrels.eval.tsv", "12\t0\t1\t1")
    table = read_table(scan(folder, tmp_path / "again").path)
    sides = dict(table.frame.filter(side="query").select("id", "split").iter_rows())
    assert sides == {"10": "train", "11": None, "12": "test"}


def test_texts_beside_a_collection_are_passed_over(tmp_path: Path) -> None:
    write_json(tmp_path / "in/corpus.jsonl", {"_id": "1", "text": "one"})
    write_lines(tmp_path / "in/README.txt", "This data set is free")
    write_lines(tmp_path / "in/requirements.txt", "numpy")
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {"d/1": "one"}
    assert "README.txt: it is a text beside a collection" in note(scanned, "passed over")
    write_json(tmp_path / "texts/queries.jsonl", {"_id": "q", "text": "one"})
    write_lines(tmp_path / "texts/a.txt", "a document")
    write_lines(tmp_path / "texts/qrels.txt", "q 0 a.txt 1")
    assert texts(scan(tmp_path / "texts", tmp_path / "plain").path) == {"d/a.txt": "a document", "q/q": "one"}


def test_folders_of_the_hub_say_what_their_files_are(tmp_path: Path) -> None:
    frames = {
        "corpus": pl.DataFrame({"_id": ["d1", "d2"], "title": ["", ""], "text": ["one fridge", "two ovens"]}),
        "queries": pl.DataFrame({"_id": ["q1"], "text": ["cold box"]}),
        "default": pl.DataFrame({"query-id": ["q1"], "corpus-id": ["d1"], "score": [1]}),
    }
    for folder, frame in frames.items():
        (tmp_path / "in" / folder).mkdir(parents=True)
        frame.write_parquet(tmp_path / "in" / folder / "test-00000-of-00001.parquet")
    write_json(tmp_path / "in/queries/corpus.jsonl", {"_id": "d3", "text": "its name says more than its folder"})
    scanned = scan(tmp_path / "in", tmp_path / "out")
    assert texts(scanned.path) == {
        "d/d1": "one fridge", "d/d2": "two ovens", "d/d3": "its name says more than its folder", "q/q1": "cold box"
    }  # fmt: skip
    assert read_table(scanned.path).frame.filter(side="query")["split"].to_list() == ["test"]


def test_judgements_of_cranfield_with_three_and_four_fields(tmp_path: Path) -> None:
    three, four = tmp_path / "cranqrel", tmp_path / "cranqrel.trec.txt"
    write_lines(three, "1 184 2", "1 29 -1", "2 12 5", "2 12")
    write_lines(four, "1 0 184 2", "1 0 29 -1", "2 0 12 5", "2 0 12 x 1")
    expected = [("1", "184", 3.0, False), ("1", "29", 0.0, True), ("2", "12", 0.0, False)]
    for path in (three, four):
        assert recognise(path) == Found(path, "cranfield", "judgements")
        *read, last = judgements_of(path, "cranfield")
        assert read == expected
        assert last == Fault(4, "judgements of Cranfield are three numbers: query, document, grade")


def test_pieces_that_an_encoder_cuts_are_counted_as_pieces(tmp_path: Path) -> None:
    write_json(tmp_path / "in/corpus.jsonl", {"_id": "1", "text": " ".join("abcdefghij" * 2 + "klmno")})
    scanned = scan(tmp_path / "in", tmp_path / "out", chunk=10, words=5)
    assert note(scanned, "an encoder of 5 words") == (
        "an encoder of 5 words cuts 2 of 3 pieces (67%), 40% of all words: --chunk 5 cuts shorter pieces"
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_is_named(tmp_path: Path, encoding: str) -> None:
    write_lines(tmp_path / "in/corpus.jsonl", '\ufeff{"_id": "1", "text": "one"}', encoding=encoding)
    write_lines(tmp_path / "in/documents.tsv", "2\ttwo")
    scanned = scan(tmp_path / "in", tmp_path / "out")
    said = "the file begins as UTF-16 does, and is no UTF-8: --encoding utf-16 reads it"
    assert said in note(scanned, "passed over")
    assert texts(scan(tmp_path / "in/corpus.jsonl", tmp_path / "whole", encoding="utf-16").path) == {"d/1": "one"}


def test_hints_can_be_pasted_where_a_path_has_an_apostrophe(tmp_path: Path) -> None:
    write_json(tmp_path / "in/corpus.jsonl", {"_id": "1", "text": "one"}, {"_id": "2", "text": "two"})
    write_json(tmp_path / "in/queries.jsonl", {"_id": "q", "text": "one"})
    write_lines(tmp_path / "in/qrels.tsv", "q 0 1 1")
    write_json(tmp_path / "in/mined.jsonl", {"qid": "q", "pos": ["1"], "neg": ["2"]})
    out = tmp_path / "Ann's"
    scanned = scan(tmp_path / "in", out)
    hints = [shlex.split(note(scanned, words).split(": --", 1)[1]) for words in ("judgements:", "mined negatives are")]
    assert hints == [
        ["pairs", f'relevance(file="{out}/samples.relevance.parquet")'],
        ["set", f'pairs.negatives=linked("{out}/samples.mined.parquet")'],
    ]
    plain = note(scan(tmp_path / "in", tmp_path / "out"), "judgements:")
    assert plain.endswith(f"--pairs \"relevance(file='{tmp_path}/out/samples.relevance.parquet')\"")
