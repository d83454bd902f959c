"""Hits of a search by their right number: before the cut without the query itself, and documents instead of pieces."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.cli.app import run
from ssl_domains.errors import DataError
from ssl_domains.probes.ranking import read_judged, read_run
from ssl_domains.samples import read_table
from ssl_domains_text.documents.search import ListIndex, WordIndex, fused, merged
from ssl_domains_text.documents.search.folder import SavedIndex
from ssl_domains_text.documents.search.fusion import document_hits
from ssl_domains_text.documents.search.ranking import by_words

from .scanned import scan, texts


def write(
    folder: Path, documents: Mapping[str, str], queries: Mapping[str, str], judged: str, split: str = "test"
) -> Path:
    """A collection as BEIR has it; ``judged`` has lines ``query document grade``."""
    (folder / "qrels").mkdir(parents=True)
    for name, entries in (("corpus", documents), ("queries", queries)):
        lines = (json.dumps({"_id": one, "text": text}) for one, text in entries.items())
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    rows = "".join("\t".join(line.split()) + "\n" for line in judged.splitlines())
    (folder / f"qrels/{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + rows)
    return folder


def values(hits: Path, samples: Path, at: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["text", "score", str(hits), str(samples), "--at", at, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def searched(samples: Path, index: Path, k: int) -> Path:
    """The file of hits of all queries of a table."""
    hits = index.with_name(f"hits{k}.trec")
    if not index.is_dir():
        assert run(["text", "index", str(samples), "--out", str(index)]) == 0
    assert run(["text", "search", str(index), "--queries", str(samples), "-k", str(k), "--out", str(hits)]) == 0
    return hits


def test_hits_that_dont_count_are_taken_out_before_the_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # Before d10 stand the query itself, a document that is to be ignored, and 9 others.
    documents = {"q1": "fridge leaks", **{f"d{n:02}": "fridge leaks " + f"x{n} " * n for n in range(1, 20)}}
    source = write(tmp_path / "in", documents, {"q1": "fridge leaks"}, "q1 d10 1\nq1 d01 -1")
    samples = scan(source, tmp_path).path
    hits = searched(samples, tmp_path / "index", 10)
    assert (
        "no hits, taken out before the cut: 1 query is a document itself, 1 pair is neither" in capsys.readouterr().out
    )
    assert read_run(hits)["document"].to_list() == [f"d{n:02}" for n in range(2, 12)]
    answer = values(hits, samples, "10", capsys)
    assert answer["values"]["nDCG@10"] == pytest.approx(1 / np.log2(1 + 9))
    assert "hits left" not in " ".join(answer["notes"])
    deep = values(searched(samples, tmp_path / "index", 20), samples, "10", capsys)
    assert deep["values"] == answer["values"], "k of the search doesn't matter"
    # A run of another search was cut with these hits in it: the score can't know what stood behind.
    order = ["q1", *(f"d{n:02}" for n in range(1, 10))]
    hits.write_text("".join(f"q1 Q0 {name} 1 {-rank} other\n" for rank, name in enumerate(order)))
    notes = " ".join(values(hits, samples, "10", capsys)["notes"])
    assert (
        "1 query has fewer than 10 hits left, as the run was cut before hits were dropped: scores may be too low"
        in notes
    )
    assert "hits left" not in " ".join(values(hits, samples, "8", capsys)["notes"]), "8 of them are left"


def test_a_search_for_k_documents_finds_k_of_them_in_pieces(tmp_path: Path) -> None:
    """One document has more matching pieces than any search is deep at first."""
    long = " ".join(["fridge leak"] * 1200)
    documents = {f"d{n}": f"fridge leaks number {n} and other words {n}" for n in range(60)} | {"d5": long}
    source = write(tmp_path / "in", documents, {"q1": "fridge leaks"}, "q1 d1 1")
    samples = scan(source, tmp_path, chunk=2).path
    assert run(["text", "index", str(samples), "--out", str(tmp_path / "index")]) == 0
    index = SavedIndex.open(tmp_path / "index")
    found = index.search([("q1", "fridge leaks")], 45)
    assert found["document"].n_unique() == len(found) == 45
    # By the definition: the best score of all pieces of a document, of equal scores the larger id.
    scores = dict(zip(index.words.ids, index.words.scores("fridge leaks").tolist(), strict=True))
    best: dict[str, float] = {}
    for piece, name in index.table.frame.select("sample", "id").iter_rows():
        best[name] = max(best.get(name, 0.0), scores[piece])
    expected = sorted(((score, name) for name, score in best.items() if score > 0), reverse=True)[:45]
    assert found["document"].to_list() == [name for _, name in expected]
    assert all(scores[piece] == best[name] for name, piece in found.select("document", "piece").iter_rows())


def test_documents_of_random_pieces_are_those_of_all_scores() -> None:
    rng = np.random.default_rng(0)
    for trial in range(40):
        owner = np.sort(rng.integers(0, 12, 60))[::-1]
        frame = pl.DataFrame(
            {"sample": [f"d/{o:02}#{n:02}" for n, o in enumerate(owner)], "id": [f"{o:02}" for o in owner]}
        )
        scores = rng.integers(0, 6, (3, 60)).astype(np.float32)
        scores[0, owner == 7] = 9  # one document holds the first places

        def search(rows: np.ndarray, k: int, frame: pl.DataFrame = frame, scores: np.ndarray = scores) -> pl.DataFrame:
            order = np.argsort(-scores[rows], axis=1, kind="stable")[:, :k]
            return pl.DataFrame(
                {
                    "query": np.repeat([f"q{row}" for row in rows], order.shape[1]),
                    "document": frame["sample"].gather(order.ravel()),
                    "score": np.take_along_axis(scores[rows], order, axis=1).ravel(),
                }
            )

        without = pl.DataFrame({"query": ["q0", "q1", "q1"], "document": ["07", "03", "gone"]})
        k = int(rng.integers(1, 14))
        found = document_hits(search, ["q0", "q1", "q2"], frame, k, without if trial % 2 else None)
        for query in range(3):
            taken = set(without.filter(query=f"q{query}")["document"]) if trial % 2 else set()
            best = Counter[str]()
            for place, name in enumerate(frame["id"]):
                best[name] = max(best[name], int(scores[query, place]))
            expected = sorted(((s, name) for name, s in best.items() if name not in taken), reverse=True)[:k]
            assert found.filter(query=f"q{query}").select("score", "document").rows() == expected


@pytest.mark.parametrize("lists", [False, True])
def test_vectors_of_pieces_give_documents_and_add_up_with_words(tmp_path: Path, lists: bool) -> None:
    documents = {f"d{n:02}": f"fridge w{n} " + " ".join(f"x{n} y{place}" for place in range(9)) for n in range(40)}
    documents["d07"] = "fridge " * 600
    source = write(tmp_path / "in", documents, {"q1": "fridge w3", "q2": "oven", "blank": "y3"}, "q1 d03 1")
    samples = scan(source, tmp_path, chunk=2).path
    assert run(["text", "index", str(samples), "--out", str(tmp_path / "index")]) == 0
    words = SavedIndex.open(tmp_path / "index")
    frame = words.table.frame
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((len(frame), 6))
    vectors[(frame["id"] == "d07").to_numpy()] = vectors[0] + rng.normal(0, 0.01, (300, 6))  # all near to each other
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    np.save(tmp_path / "index/vectors.npy", vectors)
    if lists:
        ListIndex(vectors, nlist=8, nprobe=8).save(tmp_path / "index/lists.faiss")
    index = replace(words, run=tmp_path)
    asked = np.stack([vectors[frame["id"].to_list().index("d07")], *rng.standard_normal((2, 6))]).astype(np.float32)
    queries = [("q1", "fridge w3"), ("q2", "oven"), ("blank", " \n")]
    without = pl.DataFrame({"query": ["q1"], "document": ["d07"]})
    cosines = asked @ vectors.T / np.linalg.norm(asked, axis=1, keepdims=True)
    for taken in (None, without):
        found = index.search(queries, 30, "vectors", asked, without=taken)
        assert set(found["query"]) == {"q1", "q2"}, "the blank query has no hit"
        for number, query in enumerate(("q1", "q2")):
            best: dict[str, tuple[float, str]] = {}
            for piece, name, score in zip(frame["sample"], frame["id"], cosines[number].tolist(), strict=True):
                if taken is None or (query, name) != ("q1", "d07"):
                    best[name] = max(best.get(name, (-2.0, "")), (score, piece))
            expected = sorted(best, key=lambda name: -best[name][0])[:30]
            hits = found.filter(query=query)
            assert hits["document"].to_list() == expected
            assert hits["score"].to_list() == pytest.approx([best[name][0] for name in expected], abs=1e-6)
            assert [best[name][0] for name in expected] == pytest.approx(
                [float(cosines[number, frame["sample"].to_list().index(piece)]) for piece in hits["piece"]], abs=1e-6
            )
        both = index.search(queries, 30, "both", asked, without=taken)
        parts = [index.search(queries, 100, by, asked, without=taken) for by in ("words", "vectors")]
        assert both.select("query", "document", "score").rows() == fused(parts, 30).rows()
        pieces = dict(parts[1].filter(query="q1").select("document", "piece").iter_rows())
        assert all(
            pieces[name] == piece for name, piece in both.filter(query="q1").select("document", "piece").iter_rows()
        )
    np.save(tmp_path / "index/vectors.npy", vectors[1:])
    with pytest.raises(DataError, match=r"and vectors\.npy"):
        index.search(queries, 3, "vectors", asked)


def test_pieces_of_the_floor_of_a_study_belong_to_enough_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ssl_domains_text.documents.search.ranking._DEPTH", 10)
    documents = {f"d{n}": f"fridge leaks number {n} and other words {n}" for n in range(30)} | {
        "d5": "fridge leak " * 90
    }
    source = write(tmp_path / "in", documents, {"q1": "fridge leaks"}, "q1 d1 1")
    table = read_table(scan(source, tmp_path, chunk=2).path)
    sides = table.frame["side"] == "document"
    found = by_words(table.take(sides.to_numpy()), table.take((~sides).to_numpy()))
    names = merged(found, table.frame)
    assert names["document"].n_unique() >= 10
    index = WordIndex.build(*zip(*((one, text) for one, text in texts(table).items() if one[0] == "d"), strict=True))
    everything = merged(index.search([("q/q1", "fridge leaks")], 10_000), table.frame, 10)
    assert names.head(10).rows() == everything.rows()


@pytest.mark.parametrize("chunk", [None, 2, 6])
def test_a_query_is_its_document_in_however_many_pieces(
    tmp_path: Path, chunk: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    long = " ".join(f"word{number}" for number in range(24))
    chinese = "翼型在亚音速流动中的升力特性研究与实验验证分析"
    documents = {"1": long, "2": "word1 word2 other", "z": chinese}
    source = write(tmp_path / "in", documents, {"1": long, "z": chinese, "2": "word1"}, "1 2 1\nz 2 1\n2 1 1")
    samples = scan(source, tmp_path, **({} if chunk is None else {"chunk": chunk})).path
    table, edges = read_table(samples), pl.read_parquet(tmp_path / "samples.relevance.parquet")
    assert ("whole" in table.columns) == (chunk is not None)
    judged = read_judged(table, edges, document="id")
    assert judged.ignored.rows() == [("q/1", "1"), ("q/z", "z")], "a study takes them for no hits, too"
    hits = searched(samples, tmp_path / "index", 5)
    assert set(read_run(hits).select("query", "document").rows()) == {("1", "2"), ("2", "2"), ("2", "1")}
    hits.write_text("1 Q0 1 1 9 x\n1 Q0 2 2 8 x\nz Q0 z 1 9 x\nz Q0 2 2 8 x\n2 Q0 2 1 9 x\n2 Q0 1 2 8 x\n")
    answer = values(hits, samples, "1", capsys)
    assert answer["values"]["MRR@1"] == pytest.approx(2 / 3), "the text of query 2 is not that of document 2"
    assert "2 hits were the query itself" in " ".join(answer["notes"])


def test_the_piece_that_was_found_is_mined(tmp_path: Path) -> None:
    documents = {f"d{n}": " ".join(f"fridge p{place} x{n}" for place in range(12)) for n in range(8)}
    documents["q2"] = "fridge p3 oven fridge p4"
    queries = {"q1": "fridge p7", "q2": documents["q2"]}
    source = write(tmp_path / "in", documents, queries, "q1 d1 1\nq2 d2 1", "train")
    samples = scan(source, tmp_path, chunk=3).path
    assert run(["text", "index", str(samples), "--out", str(tmp_path / "index")]) == 0
    for _ in range(2):
        assert run(["text", "mine", str(samples), str(tmp_path / "index"), "--by", "words", "--top", "9"]) == 0
        mined = pl.read_parquet(tmp_path / "samples.mined.parquet")
        first = mined.filter(a="q/q1")["b"].to_list()
        assert first[:7] == [f"d/d{n}#8" for n in (7, 6, 5, 4, 3, 2, 0)], "piece 8 is that of p7"
        own = mined.filter(a="q/q2")["b"].to_list()
        assert own
        assert not any(name.startswith("d/q2") for name in own), "pieces of the query itself"


def test_documents_that_the_table_lacks_are_not_mined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    documents = {f"d{n}": f"fridge leaks number {n}" for n in range(6)}
    for name, count in (("old", 6), ("new", 3)):
        part = dict(list(documents.items())[:count])
        source = write(tmp_path / name / "in", part, {"q1": "fridge leaks"}, "q1 d1 1", "train")
        scan(source, tmp_path / name)
    assert run(["text", "index", str(tmp_path / "old/samples.parquet"), "--out", str(tmp_path / "index")]) == 0
    capsys.readouterr()
    samples, triplets = tmp_path / "new/samples.parquet", tmp_path / "triplets.jsonl"
    assert run(["text", "mine", str(samples), str(tmp_path / "index"), "--triplets", str(triplets)]) == 0
    assert "note: 3 documents of the index are not in samples.parquet" in capsys.readouterr().out
    assert set(pl.read_parquet(tmp_path / "new/samples.mined.parquet")["b"]) == {"d/d0", "d/d2"}
    assert len(triplets.read_text().splitlines()) == 2
