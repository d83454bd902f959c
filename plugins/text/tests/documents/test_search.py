"""Searches against brute force: BM25, nearest vectors, lists, fusion, and an index in a folder."""

from __future__ import annotations

import json
import math
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.errors import DataError, UsageError
from ssl_domains.probes.ranking import read_run, score_run
from ssl_domains_text.documents.commands import make_index, score_file, search_index
from ssl_domains_text.documents.mine_command import mine
from ssl_domains_text.documents.search import Analysis, ListIndex, WordIndex, fused, merged, nearest, scores
from ssl_domains_text.documents.search.folder import SavedIndex

from .scanned import scan

AS_IS = Analysis("none", shortest=1)


def bm25_reference(query: list[str], documents: list[list[str]], k1: float, b: float) -> list[float]:
    """BM25 of Lucene, written from the formula."""
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        counts, total = Counter(document), 0.0
        for term in query:
            having = sum(term in other for other in documents)
            if not having:
                continue
            idf = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
            frequency = counts[term]
            total += idf * frequency / (frequency + k1 * (1 - b + b * len(document) / mean))
        scores.append(total)
    return scores


words = st.lists(st.sampled_from("abcdefg"), max_size=8)


@given(st.lists(words, min_size=1, max_size=8).filter(lambda documents: any(documents)), words)
def test_bm25_is_the_formula(documents: list[list[str]], query: list[str]) -> None:
    index = WordIndex.build([str(n) for n in range(len(documents))], [" ".join(one) for one in documents], AS_IS)
    expected = bm25_reference(query, documents, 1.5, 0.75)
    assert index.scores(" ".join(query)) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    hits = index.search([("q", " ".join(query))], k=3)
    positive = sorted((score for score in expected if score > 0), reverse=True)[:3]
    assert hits["score"].to_list() == pytest.approx(positive, rel=1e-5)
    assert index.unindexed == sum(not one for one in documents)


def test_t13_queries_without_a_known_word_have_no_hit() -> None:
    index = WordIndex.build(["d0", "d1", "d2"], ["river stone amber", "meadow lantern", "the of"], Analysis())
    run = index.search([("q1", "zzzz qqqq"), ("q2", ""), ("q3", "the of and"), ("q4", "meadows")], k=10)
    assert run.rows() == [("q4", "d1", pytest.approx(run["score"][0]))]
    empty = WordIndex.build(["d0"], ["the"], Analysis())
    assert len(empty.search([("q", "the")])) == 0


@pytest.mark.shared_data
def test_t13_as_it_was_reported(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data.parent / "cases" / "text" / "T13"
    if not folder.is_dir():
        pytest.skip("the folder of cases is not beside the data sets")
    corpus = [json.loads(line) for line in (folder / "corpus.jsonl").read_text().splitlines()]
    queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    index = WordIndex.build([d["_id"] for d in corpus], [f"{d['title']} {d['text']}" for d in corpus])
    run = index.search([(one["_id"], one["text"]) for one in queries], k=6)
    assert run["query"].unique().to_list() == ["q4"]
    assert run["document"][0] == "d4"
    assert (run["score"] > 0).all()


def test_equal_scores_are_cut_by_descending_id() -> None:
    index = WordIndex.build(["b", "c", "a"], ["x", "x", "x"], AS_IS)
    assert index.search([("q", "x")], k=2)["document"].to_list() == ["c", "b"]


def test_analysis() -> None:
    assert Analysis("english").terms("The Wings of aircraft, a 翼型!") == ["wing", "aircraft", "翼型"]
    assert Analysis("none").terms("東京都 x2 y") == ["東京", "京都", "x2"]
    assert Analysis("german").terms("Häuser und Haus") == ["haus", "haus"]
    assert "33 english stop words" in Analysis().words()
    assert "no list for finnish" in Analysis("finnish").words()
    assert pickle.loads(pickle.dumps(Analysis("german"))).terms("Häuser") == ["haus"]
    with pytest.raises(UsageError, match="no stemmer for 'englisch'"):
        Analysis("englisch")


def brute_force(queries: np.ndarray, vectors: np.ndarray, k: int) -> np.ndarray:
    scores = queries.astype(np.float64) @ vectors.astype(np.float64).T
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize("block", [1, 3, 7, 100])
def test_exact_search_is_brute_force_with_ties(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr("ssl_domains_text.documents.search.exact._BLOCK", block)
    monkeypatch.setattr("ssl_domains_text.documents.search.exact._QUERIES", 4)
    rng = np.random.default_rng(0)
    vectors = rng.integers(-1, 2, (50, 3)).astype(np.float32)  # many equal products, exact in float32
    queries = rng.integers(-1, 2, (11, 3)).astype(np.float32)
    for k in (1, 5, 50, 60):
        scores, positions = nearest(queries, vectors, k)
        expected = brute_force(queries, vectors, min(k, 50))
        assert (positions == expected).all()
        assert np.array_equal(scores, np.take_along_axis(queries @ vectors.T, expected, axis=1))
    left = np.arange(11)
    left[3] = -1
    scores, positions = nearest(queries, vectors, 49, leave_out=left)
    assert not (positions == np.where(left < 0, 99, left)[:, None]).any()
    assert nearest(queries, vectors[:0], 5)[1].shape == (11, 0)
    assert (
        nearest(torch.from_numpy(queries), torch.from_numpy(vectors), 5)[1] == brute_force(queries, vectors, 5)
    ).all()


@pytest.mark.shared_data
def test_t14_minus_one_never_comes_out(shared_data: Path) -> None:
    folder = shared_data.parent / "cases" / "text" / "T14"
    if not folder.is_dir():
        pytest.skip("the folder of cases is not beside the data sets")
    expected = json.loads((folder / "case.json").read_text())["expected"]
    vectors, query = np.load(folder / "corpus.npy"), np.load(folder / "query.npy")
    exact = brute_force(query, vectors, expected["k"])
    for seed in range(3):  # how the two lists divide the vectors is up to the clustering
        found = ListIndex(vectors, nlist=expected["nlist"], nprobe=expected["nprobe"], seed=seed).search(query, 10)
        assert (found.positions >= 0).all()
        assert len(set(found.positions[0])) == expected["k"]
        assert set(exact[0, : expected["real"]]) <= set(found.positions[0])


def test_lists_give_k_hits_and_nearly_the_exact_ones() -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((8, 16))
    vectors = (centres[rng.integers(0, 8, 2000)] + 0.3 * rng.standard_normal((2000, 16))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = vectors[:50]
    index = ListIndex(vectors)
    found = index.search(queries, 10)
    assert found.positions.shape == (50, 10)
    assert (found.positions >= 0).all()
    exact = brute_force(queries, vectors, 10)
    shared = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.positions, exact, strict=True)])
    assert shared > 0.8
    whole = ListIndex(vectors, nlist=4, nprobe=4).search(queries, 10)
    assert whole.note() == ""
    assert (np.sort(whole.positions, axis=1) == np.sort(exact, axis=1)).mean() > 0.999
    assert ListIndex(vectors[:3]).search(queries, 10).positions.shape == (50, 3)


def test_lists_that_are_too_short_are_joined_by_others() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((200, 4)).astype(np.float32)
    found = ListIndex(vectors, nlist=20, nprobe=1).search(vectors[:7], 150)
    assert (found.positions >= 0).all()
    assert all(len(set(row)) == 150 for row in found.positions.tolist())
    assert found.short == 7
    assert found.nprobe > 1
    assert found.note().startswith("the searched lists held too few vectors for 7 queries: ")
    whole = ListIndex(vectors, nlist=20, nprobe=1).search(vectors[:7], 200)
    assert (whole.positions == brute_force(vectors[:7], vectors, 200)).mean() > 0.99  # all lists are exact search
    assert whole.nprobe == 20


def test_saved_lists_find_what_they_found_before(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((600, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = ListIndex(vectors, nlist=12, nprobe=2)
    before = index.search(vectors[:40], 10)
    index.search(vectors[:3], 500)  # looks at more lists, which is no setting
    index.save(tmp_path / "lists.faiss")
    again = ListIndex.load(tmp_path / "lists.faiss")
    assert (again.size, again.nlist, again.nprobe) == (600, 12, 2)
    after = again.search(vectors[:40], 10)
    assert (after.positions == before.positions).all()
    assert (after.scores == before.scores).all()
    assert (again.search(vectors[:3], 600).positions >= 0).all()
    exact = brute_force(vectors[np.linspace(0, 599, 256).astype(int)], vectors, 10)
    found = again.search(vectors[np.linspace(0, 599, 256).astype(int)], 10).positions
    shared = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, exact, strict=True)])
    assert again.recall(vectors) == pytest.approx(shared)
    assert 0.1 < shared < 1
    assert ListIndex(vectors, nlist=12, nprobe=12).recall(vectors) > 0.999


def test_damaged_lists_are_an_error(tmp_path: Path) -> None:
    import faiss

    path = tmp_path / "lists.faiss"
    ListIndex(np.eye(4, dtype=np.float32)).save(path)
    data = path.read_bytes()
    for damaged in (b"", data[:20], b"xxxx" + data[4:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"lists\.faiss holds no index of vectors"):
            ListIndex.load(path)
    faiss.write_index(faiss.IndexFlatIP(4), str(path))
    with pytest.raises(DataError, match="another kind of index"):
        ListIndex.load(path)
    path.unlink()
    with pytest.raises(DataError, match="holds no index"):
        ListIndex.load(path)


def test_fusion_is_the_sum_of_z_scores() -> None:
    one = pl.DataFrame({"query": ["q"] * 3 + ["p"], "document": ["a", "b", "c", "a"], "score": [3.0, 2.0, 1.0, 5.0]})
    other = pl.DataFrame({"query": ["q"] * 3, "document": ["b", "c", "d"], "score": [0.9, 0.1, 0.2]})
    z1, z2 = ({d: (s - np.mean(list(x.values()))) / np.std(list(x.values())) for d, s in x.items()} for x in (
        {"a": 3.0, "b": 2.0, "c": 1.0}, {"b": 0.9, "c": 0.1, "d": 0.2}
    ))  # fmt: skip
    expected = {d: z1.get(d, min(z1.values())) + z2.get(d, min(z2.values())) for d in "abcd"}
    made = fused([one, other])
    found = dict(made.filter(query="q").select("document", "score").iter_rows())
    assert found == pytest.approx(expected, rel=1e-6)
    assert made.filter(query="p")["document"].to_list() == ["a"]
    assert fused([one, other], k=1).filter(query="q")["document"].to_list() == ["b"]


def test_pieces_are_merged_to_their_documents() -> None:
    run = pl.DataFrame({"query": ["q"] * 3, "document": ["d/1#1", "d/1#2", "d/2"], "score": [1.0, 3.0, 2.0]})
    names = pl.DataFrame({"sample": ["d/1#1", "d/1#2", "d/2"], "id": ["1", "1", "2"]})
    assert merged(run, names).rows() == [("q", "1", 3.0, "d/1#2"), ("q", "2", 2.0, "d/2")]
    equal = run.with_columns(score=pl.lit(1.0))
    assert merged(equal.reverse(), names).rows() == [("q", "2", 1.0, "d/2"), ("q", "1", 1.0, "d/1#1")]


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "qrels").mkdir(parents=True)
    texts = ["amber river stone", "meadow lantern", "river meadow " * 30, "the"]
    documents = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate(texts)]
    queries = [{"_id": "q1", "text": "rivers"}, {"_id": "d1", "text": "meadow lantern"}, {"_id": "q3", "text": "zzz"}]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td0\t1\nd1\td2\t1\nq3\td0\t1\nq1\tgone\t1\n")
    scan(folder, tmp_path / "out", chunk=40)
    return tmp_path / "out" / "samples.parquet"


def test_an_index_is_saved_searched_and_scored(
    collection: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = list(make_index(collection, tmp_path / "index", None, "english", True, True, 2))
    assert said[0] == "words: english Snowball stemmer, 33 english stop words"
    assert "1 piece has no term" in said[1]
    assert said[2].startswith("4 documents in 5 pieces indexed → ")
    shown = list(search_index(tmp_path / "index", "river", 5, None, None, None, None))
    assert [line.split()[2] for line in shown] == ["d2", "d0"]
    assert shown[1].endswith("amber river stone")
    assert list(search_index(tmp_path / "index", "zzz", 5, None, None, None, None)) == [
        "no hit: no document has a word of the query"
    ]
    hits = tmp_path / "hits.trec"
    said = list(search_index(tmp_path / "index", None, 10, None, collection, "test", hits))
    assert said == [
        "no hits, taken out before the cut: 1 query is a document itself", f"3 hits of 2 of 3 queries → {hits}"
    ]  # fmt: skip
    assert read_run(hits).filter(query="d1")["document"].to_list() == ["d2"]
    # A run of another search has the query itself, which the scores leave out, too.
    hits.write_text(hits.read_text() + "d1 Q0 d1 1 1000 x\n")
    score_file(hits, collection, "test", "1,10", 1.0, True)
    answer = json.loads(capsys.readouterr().out)
    assert answer["values"]["MRR@1"] == pytest.approx(1 / 3)
    assert answer["values"]["MRR@10"] == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert answer["values"]["recall@10"] == pytest.approx((0.5 + 1 + 0) / 3)
    notes = " ".join(answer["notes"])
    assert "1 query has no hit" in notes
    assert "1 hit was the query itself" in notes
    assert f"recall can't be above {(0.5 + 1 + 1) / 3:.4f}" in notes


def test_recall_of_relevant_documents_by_a_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    wordings = {f"d{number}": ("plain", "odd", "never")[number % 2 if number < 18 else 2] for number in range(20)}
    documents = list(wordings)
    relevant = {f"q{number}": set(rng.choice(documents[:18], 5, replace=False)) for number in range(6)}
    relevant["q5"] = {name for name in documents[:18] if wordings[name] == "plain"}  # none is odd
    found = {query: list(rng.permutation(documents)) for query in relevant}
    del found["q0"]  # no hit: counted as 0
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps({"_id": one, "text": one}) for one in documents))
    (folder / "queries.jsonl").write_text("\n".join(json.dumps({"_id": one, "text": "x"}) for one in relevant))
    judged = [f"{query} 0 {one} 1\n" for query, names in relevant.items() for one in sorted(names)]
    (folder / "qrels.tsv").write_text("".join([*judged, "q1 0 d19 0\n"]))
    samples = scan(folder, tmp_path / "out").path
    table = pl.read_parquet(samples)
    table = table.with_columns(wording=pl.col("id").replace_strict(wordings, default=None))
    table.write_parquet(samples)
    hits, out = tmp_path / "hits.trec", tmp_path / "scores.json"
    ranks = [f"{query} Q0 {one} {rank} {-rank} x\n" for query, names in found.items() for rank, one in enumerate(names)]
    hits.write_text("".join(ranks))
    score_file(hits, samples, None, "3,8", 1, False, "wording", out)
    printed = capsys.readouterr().out
    document = json.loads(out.read_text())
    assert document["recall_by"]["column"] == "wording"
    values = document["recall_by"]["values"]
    assert list(values) == ["odd", "plain"]
    for name, recalls in values.items():
        for k in (3, 8):
            shares = []
            for query, names in relevant.items():
                wanted = {one for one in names if wordings[one] == name}
                if wanted:
                    shares.append(len(wanted & set(found.get(query, [])[:k])) / len(wanted))
            assert recalls[f"recall@{k}"] == pytest.approx(float(np.mean(shares)))
            line = f"recall@{k}     {np.mean(shares):.4f}  of relevant documents whose wording is {name}"
            assert line in printed
    with pytest.raises(UsageError, match="no column 'wordin'") as caught:
        score_file(hits, samples, None, "3", 1, False, "wordin")
    assert "wording" in caught.value.hint
    monkeypatch.setattr(scores, "_MOST_VALUES", 1)
    with pytest.raises(UsageError, match="'wording' has 2 values among relevant documents"):
        score_file(hits, samples, None, "3", 1, False, "wording")


def test_mistakes_of_a_search(collection: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no index in"):
        SavedIndex.open(tmp_path)
    with pytest.raises(UsageError, match="where the index is written"):
        list(make_index(collection, None, None, "english", True, True, 2))
    list(make_index(collection, tmp_path / "index", None, "none", True, True, 2))
    for arguments, message in (
        (("x", 5, "dense", None, None, None), "--by 'dense'"),
        ((None, 5, None, None, None, None), "give words"),
        ((None, 5, None, collection, None, None), "hits of many queries need a file"),
        (("x", 5, "vectors", None, None, None), "this index has no vectors"),
    ):
        with pytest.raises(UsageError, match=message):
            list(search_index(tmp_path / "index", *arguments))  # type: ignore[arg-type]
    (tmp_path / "index" / "index.json").write_text("{")
    with pytest.raises(DataError, match="is damaged"):
        SavedIndex.open(tmp_path / "index")


@pytest.mark.shared_data
def test_cranfield_by_words(shared_data: Path, tmp_path: Path) -> None:
    scanned = scan(shared_data / "text" / "cranfield", tmp_path)
    assert len(scanned.result.samples) == 1398 + 225
    list(make_index(scanned.path, tmp_path / "index", None, "english", True, True, 2))
    list(search_index(tmp_path / "index", None, 100, "words", scanned.path, None, tmp_path / "hits.trec"))
    edges = pl.read_parquet(tmp_path / "samples.relevance.parquet")
    run = read_run(tmp_path / "hits.trec")
    ignored = edges.filter(pl.col("ignored") == 1).select("query", "document")
    assert len(ignored) == 225
    judged = edges.filter(pl.col("ignored") == 0)
    kept = run.join(ignored, on=["query", "document"], how="anti")
    assert score_run(kept, judged).values["nDCG@10"] == pytest.approx(0.424, abs=5e-4)


def test_mined_negatives_hold_no_known_positive(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    texts = {
        "a": "red fox",
        "copy": "red fox runs",
        "hard": "red car",
        "ign": "red ink",
        "q1": "red  fox?",
        "far": "sea",
    }
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps({"_id": k, "text": v}) for k, v in texts.items()))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q1", "text": "red fox?"}))
    (folder / "qrels.tsv").write_text("q1 0 a 1\nq1 0 ign -1\nq1 0 far 0\n")
    samples = scan(folder, tmp_path / "out").path
    list(make_index(samples, tmp_path / "index", None, "none", True, True, 2))
    links = tmp_path / "links.parquet"
    pl.DataFrame({"a": ["q/q1"], "b": ["d/copy"]}).write_parquet(links)
    triplets = tmp_path / "triplets.jsonl"
    said = list(mine(samples, tmp_path / "index", None, None, 30, [links], triplets))
    mined = tmp_path / "out" / "samples.mined.parquet"
    assert said[0] == (f"1 negative of 1 query → {mined}; removed: 1 relevant, 1 ignored, 1 linked, 1 the query itself")
    assert pl.read_parquet(mined).rows() == [("q/q1", "d/hard", 1)]
    assert [json.loads(line) for line in triplets.read_text().splitlines()] == [
        {"anchor": "red fox?", "positive": "red fox", "negative": "red car"}
    ]
    said = list(mine(samples, tmp_path / "index", mined, "words", 30, (), None))
    assert said[1].startswith("note: no --links")
    assert pl.read_parquet(mined)["b"].to_list() == ["d/copy", "d/hard"]
