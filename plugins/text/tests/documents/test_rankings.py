"""Studies of rankings: judged queries as labels, hits by cosine, and a small study from scan to page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.cli.app import run
from ssl_domains.errors import DataError, UsageError
from ssl_domains.probes.ranking import read_judged, score_run, without_pairs
from ssl_domains.samples import SampleTable, read_table
from ssl_domains.studies import read_study_file, read_study_result
from ssl_domains.studies.measuring import rankings
from ssl_domains.studies.measuring.rankings import cosine_hits
from ssl_domains_text.documents.search.ranking import by_words

from .scanned import scan


def judged_table() -> tuple[SampleTable, pl.DataFrame]:
    samples = ["q/1", "q/2", "q/3", "d/a#1", "d/a#2", "d/b"]
    table = SampleTable.of({"sample": samples, "id": ["1", "2", "3", "a", "a", "b"]})
    edges = pl.DataFrame(
        {"a": ["q/1", "q/1", "q/2", "q/2", "q/1"], "b": ["d/a#1", "d/b", "d/gone", "d/b", "d/a#2"],
         "grade": [1.0, 0.0, 2.0, 0.0, 3.0], "ignored": [0, 0, 0, 1, 0]}
    )  # fmt: skip
    return table, edges


def test_judged_queries_are_labels() -> None:
    table, edges = judged_table()
    judged = read_judged(table, edges, document="id")
    assert judged.known.tolist() == [True, True, False, False, False, False]
    assert judged.offered.tolist() == [False, False, True, True, True, True]
    assert judged.y[:2].tolist() == [2.0, 1.0]
    # Pieces are one document, with the largest grade; a document that the table lacks keeps its name.
    assert judged.judgements.rows() == [("q/1", "a", 3.0), ("q/1", "b", 0.0), ("q/2", "d/gone", 2.0)]
    assert judged.ignored.rows() == [("q/2", "b")]
    part = judged.take(np.array([1, 5]))
    assert part.known.tolist() == [True, False]
    assert part.documents.to_list() == ["2", "b"]
    whole = read_judged(table, edges, ignored=None, offered=np.arange(6) >= 3)
    assert whole.offered.tolist() == [False] * 3 + [True] * 3
    assert ("q/2", "d/b", 0.0) in whole.judgements.rows()


def test_a_query_that_is_a_document_is_no_hit_of_itself() -> None:
    table, edges = judged_table()
    frame = table.frame.with_columns(content=pl.Series([7, 8, 9, 7, 1, 8], dtype=pl.Int64))
    ids = pl.Series(["a", "2", "3", "a", "a", "b"])  # q/1 has id and text of the first piece of a, q/2 only a text of b
    whole = read_judged(SampleTable.of(frame.with_columns(id=ids)), edges, document="id")
    assert whole.ignored.rows() == [("q/1", "a"), ("q/2", "b")]
    assert whole.judgements.rows() == read_judged(table, edges, document="id").judgements.rows()
    # The text of q/1 is that of a piece of a, and no longer that of a; the text of q/2 is that of both pieces of b.
    pieces = frame.with_columns(id=pl.Series(["a", "b", "3", "a", "b", "b"]), whole=pl.Series([7, 8, 9, 1, 8, 8]))
    assert read_judged(SampleTable.of(pieces), edges, document="id").ignored.rows() == [("q/2", "b")]
    # Where no query is a document, a study's cells are those of a table without contents.
    other = read_judged(SampleTable.of(frame), edges, document="id")
    assert [one.tobytes() for one in other.contents()] == [
        one.tobytes() for one in read_judged(table, edges, document="id").contents()
    ]


def test_cosines_go_as_deep_as_documents_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 pieces of one document are nearer to the query than those of all others."""
    monkeypatch.setattr("ssl_domains.studies.measuring.rankings._DEPTH", 20)
    table, edges = judged_table()
    judged = read_judged(table, edges, document="id")
    names = ["a"] * 100 + [f"d{n:02}" for n in range(50)]
    asked: list[int] = []

    def search(k: int) -> pl.DataFrame:
        asked.append(k)
        return pl.DataFrame(
            {"query": ["q/1"] * k, "document": names[:k], "score": [-float(n) for n in range(min(k, 150))]}
        ) if k <= 150 else search(150)  # fmt: skip

    run = rankings._cleaned(rankings._deep(search, judged, (10,)), judged)
    assert run["document"].to_list() == ["a", *(f"d{n:02}" for n in range(19))]
    assert asked == [20, 80, 320, 150]
    # A k beyond the usual depth is searched for with the pairs that are taken out.
    asked.clear()
    assert rankings._deep(search, judged, (30,))["document"].n_unique() >= 31
    assert asked[0] == 31


def test_judgements_of_another_table_are_refused() -> None:
    table, edges = judged_table()
    with pytest.raises(DataError, match="no row of the table is a judged query"):
        read_judged(table, edges.with_columns(a=pl.lit("q/other")))
    with pytest.raises(DataError, match="can be found"):
        read_judged(table, edges, offered=np.zeros(6, dtype=np.bool_))
    with pytest.raises(UsageError, match="no column 'gain'"):
        read_judged(table, edges, grade="gain")


@pytest.mark.parametrize("at_once", [7, 65_536])
def test_hits_are_those_of_all_cosines(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssl_domains.studies.measuring.rankings._DOCUMENTS", at_once)
    rng = np.random.default_rng(0)
    queries, documents = (rng.normal(size=(count, 5)).astype(np.float32) for count in (4, 30))
    values, numbers = cosine_hits(queries, documents, 9)
    lengths = np.linalg.norm(queries.astype(float), axis=1)[:, None] * np.linalg.norm(documents.astype(float), axis=1)
    cosines = queries.astype(float) @ documents.T.astype(float) / lengths
    expected = np.argsort(-cosines, axis=1)[:, :9]
    assert (numbers == expected).all()
    assert np.abs(values - np.take_along_axis(cosines, expected, axis=1)).max() < 1e-6
    assert cosine_hits(queries, documents, 100)[1].shape == (4, 30)


STUDY = """
name = "small"
title = "Made-up documents"
about = "Made-up documents, which show nothing."
samples = "samples.parquet"
group = "cluster"
folds = "fold_*"
seeds = 1
fractions = [1.0]
probes = ["ranking"]
nuisance = []
[ranking]
judgements = "samples.relevance.parquet"
ignored = "ignored"
offered = { side = ["document"] }
document = "id"
at = [3, 10]
fused = "BM25"
[config.train]
max_steps = 2
batch_size = 6
device = "cpu"
[config.encoder]
name = "static"
[config.input]
vocabulary = 200
[config.pairs]
shuffle_within = "side"
[arms.in_batch]
method = "ance"
pairs = "relevance(file='RELEVANCE')"
[arms.in_batch.config]
"method.top" = 0
[arms.mined]
method = "ance"
pairs = "relevance(file='RELEVANCE', negatives='linked(\\"mined\\")')"
controls = false
[arms.mined.config]
"views.n" = 3
"pairs.epoch_steps" = 1
[arms.still]
untrained = true
controls = false
[primary]
arm = "in_batch"
against = "ranking: BM25"
fraction = 1.0
probe = "ranking"
"""


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A folder with a scanned collection of 12 queries in clusters, and a study file."""
    source = tmp_path / "in"
    source.mkdir()
    with (source / "corpus.jsonl").open("w") as corpus, (source / "queries.jsonl").open("w") as queries:
        for number in range(12):
            text = " ".join(f"w{number}x{place} w{(number + 1) % 12}x{place}" for place in range(3))
            corpus.write(json.dumps({"_id": f"d{number}", "text": f"{text} only{number}"}) + "\n")
            asked = f"only{number} w{(number + 2) % 12}x0"  # the rarer word finds the relevant document
            queries.write(json.dumps({"_id": f"q{number}", "text": asked}) + "\n")
    judged = "".join(f"q{n}\td{n}\t2\nq{n}\td{(n + 5) % 12}\t{-1 if n % 2 else 1}\n" for n in range(12))
    (source / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
    scan(source, tmp_path)
    assert run(["text", "cluster-queries", str(tmp_path / "samples.parquet"), "--folds", "2"]) == 0
    (tmp_path / "study.toml").write_text(STUDY.replace("RELEVANCE", str(tmp_path / "samples.relevance.parquet")))
    return tmp_path


def test_a_study_of_rankings(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["text", "study", str(prepared / "study.toml"), "--out", str(prepared / "out"), "--jobs", "1", "--json"])
    told = capsys.readouterr()
    assert code == 0, told.err
    result = json.loads(told.out)
    names = [arm["name"] for arm in result["arms"]]
    assert names == ["random", "simclr", "in_batch", "in_batch, shuffled", "mined", "still", "ranking: BM25"]
    assert len(list((prepared / "out" / "cells").rglob("fold*-seed*/result.json"))) == 2 * len(names)
    table = read_table(prepared / "samples.parquet")
    documents = table.take((table.frame["side"] == "document").to_numpy())
    queries = table.take((table.frame["side"] == "query").to_numpy())
    edges = pl.read_parquet(prepared / "samples.relevance.parquet")
    ids = {row["sample"]: row["id"] for row in documents.frame.iter_rows(named=True)}
    hits = by_words(documents, queries).with_columns(pl.col("document").replace(ids))
    ignored = edges.filter(pl.col("ignored") == 1).select(query="a", document="document")
    judged = edges.filter(pl.col("ignored") == 0).select(query="a", document="document", grade="grade")
    expected = score_run(without_pairs(hits, ignored).run, judged, at=(10,)).values["nDCG@10"]
    scores = {(one.arm, one.probe): one for one in read_study_result(prepared / "out" / "results.json").scores}
    sums = scores["ranking: BM25", "ranking"].evidence["nDCG@10"].sums.sum(axis=1)[0]
    assert sums[1] == 12
    assert sums[0] / sums[1] == pytest.approx(expected, abs=1e-9)
    for arm in ("random", "in_batch", "still"):
        alone, both = (scores[arm, probe].evidence["nDCG@10"].sums for probe in ("ranking", "ranking, fused"))
        assert both[0, :, 0].sum() > alone[0, :, 0].sum(), "words help weights that learnt for two steps"
    page = (prepared / "out" / "page" / "small.md").read_text(encoding="utf-8")
    assert "ranking: BM25" in page


Change = Callable[[str], str]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("fractions = [1.0]", "fractions = [0.5, 1.0]"), "fractions"),
        (lambda text: text.replace('probes = ["ranking"]', 'probes = ["ranking", "linear"]'), "ranking stands alone"),
        (lambda text: text.replace('name = "small"', 'name = "small"\nlabel = "id"'), "ranking stands alone"),
        (lambda text: text.replace("judgements = ", "document_ = "), "unknown key"),
        (lambda text: text.replace('judgements = "samples.relevance.parquet"\n', ""), "ranking.judgements"),
        (lambda text: text.replace("untrained = true\ncontrols = false", "untrained = true"), "no controls"),
        (lambda text: text.replace('"ranking"', '"linear"').replace("ranking, fused", "linear"), "label names"),
    ],
)
def test_contradictions_are_refused(change: Change, words: str, tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(change(STUDY))
    with pytest.raises(UsageError, match=words):
        read_study_file(path)


def test_what_is_missing_is_said(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (prepared / "study.toml").read_text()
    for changed, said in (
        (text.replace('fused = "BM25"', 'fused = "BM52"'), "text has no ranking 'BM52'"),
        (text.replace('"samples.relevance.parquet"\nignored', '"other.parquet"\nignored'), "no judgements"),
        (text.replace("at = [3, 10]", "at = [3]"), "ranking.at is [3]"),
    ):
        (prepared / "study.toml").write_text(changed)
        code = run(["text", "study", str(prepared / "study.toml"), "--out", str(prepared / "other"), "--estimate"])
        assert (code, said in capsys.readouterr().err) == (2, True), said
