"""Rankings against trec_eval, and against the definitions written out for one query."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.errors import DataError, UsageError
from ssl_domains.probes.ranking import (
    ranked,
    read_judgements,
    read_run,
    recall_ceiling,
    score_run,
    without_pairs,
    without_self_hits,
    write_run,
)

pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec-eval-terrier is not installed")

_IDS = [f"d{number}" for number in range(12)] + ["ä", "Z", "é1"]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, int]]]:
    """Runs with many ties, and judgements of which some name documents or queries that the run lacks."""
    score = st.sampled_from([0.0, 0.1, 0.30000001, 0.3, 0.30000000001, 2.5, -1.0, 1e-7, 16777217.0, 16777216.0])
    run = draw(
        st.dictionaries(st.sampled_from("abcd"), st.dictionaries(st.sampled_from(_IDS), score, min_size=1), min_size=1)
    )
    grade = st.integers(0, 4)
    judged = draw(
        st.dictionaries(st.sampled_from("abcde"), st.dictionaries(st.sampled_from(_IDS), grade, min_size=1), min_size=1)
    )
    return run, judged


def frames(run: dict[str, dict[str, float]], judged: dict[str, dict[str, int]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    hits = [(query, document, score) for query, found in run.items() for document, score in found.items()]
    pairs = [(query, document, grade) for query, known in judged.items() for document, grade in known.items()]
    return (
        pl.DataFrame(hits, schema=["query", "document", "score"], orient="row"),
        pl.DataFrame(pairs, schema=["query", "document", "grade"], orient="row"),
    )


@given(worlds(), st.sampled_from([1, 2, 3, 10]), st.sampled_from([1, 2]))
def test_equal_to_trec_eval(
    world: tuple[dict[str, dict[str, float]], dict[str, dict[str, int]]], k: int, least: int
) -> None:
    run, judged = world
    hits, pairs = frames(run, judged)
    found = score_run(hits, pairs, at=(k,), relevant_from=least)
    cut: dict[str, dict[str, float]] = {}
    for query, document, score in ranked(hits, k).select("query", "document", "score").iter_rows():
        cut.setdefault(query, {})[document] = score
    full = pytrec_eval.RelevanceEvaluator(judged, {f"ndcg_cut.{k}", f"recall.{k}"}, relevance_level=least).evaluate(run)
    first = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"}, relevance_level=least).evaluate(cut)
    for row in found.each.iter_rows(named=True):
        expected = {**full.get(row["query"], {}), **first.get(row["query"], {})}
        assert row[f"MRR@{k}"] == pytest.approx(expected.get("recip_rank", 0.0), abs=1e-6)
        assert row[f"nDCG@{k}"] == pytest.approx(expected.get(f"ndcg_cut_{k}", 0.0), abs=1e-6)
        assert row[f"recall@{k}"] == pytest.approx(expected.get(f"recall_{k}", 0.0), abs=1e-6)
    assert found.queries == len(judged)
    assert found.unanswered == len(judged.keys() - run.keys())
    assert found.unjudged == len(run.keys() - judged.keys())
    for name, value in found.values.items():
        assert value == pytest.approx(sum(found.each[name].to_list()) / len(judged))


def test_definitions_for_one_query() -> None:
    run = pl.DataFrame({"query": ["q"] * 4, "document": ["a", "b", "c", "d"], "score": [4.0, 3.0, 2.0, 1.0]})
    judged = pl.DataFrame({"query": ["q"] * 4, "document": ["b", "d", "gone", "a"], "grade": [1, 3, 2, 0]})
    found = score_run(run, judged, at=(2, 4))
    assert found.values["MRR@2"] == 1 / 2
    assert found.values["recall@2"] == pytest.approx(1 / 3)
    assert found.values["recall@4"] == pytest.approx(2 / 3)
    gain = 1 / math.log2(3) + 3 / math.log2(5)
    assert found.values["nDCG@4"] == pytest.approx(gain / (3 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4)))
    assert found.values["nDCG@2"] == pytest.approx((1 / math.log2(3)) / (3 + 2 / math.log2(3)))


def test_the_order_of_the_rows_says_nothing() -> None:
    rng = np.random.default_rng(0)
    run = pl.DataFrame(
        {
            "query": [f"q{number}" for number in rng.integers(0, 5, 200)],
            "document": [f"d{number}" for number in rng.integers(0, 30, 200)],
            "score": rng.integers(0, 3, 200).astype(float),
        }
    )
    judged = pl.DataFrame({"query": [f"q{n}" for n in range(5)], "document": ["d7"] * 5, "grade": [1] * 5})
    values = score_run(run, judged).values
    for seed in range(5):
        assert score_run(run.sample(fraction=1, shuffle=True, seed=seed), judged).values == values


def test_a_query_without_hits_counts() -> None:
    run = pl.DataFrame({"query": ["q1", "x"], "document": ["d1", "d1"], "score": [3.0, 1.0]})
    judged = pl.DataFrame({"query": ["q1", "q2"], "document": ["d1", "d2"], "grade": [1, 1]})
    found = score_run(run, judged)
    assert found.values["MRR@10"] == 0.5
    assert found.unanswered == 1
    assert found.unjudged == 1
    assert "1 query has no hit: counted as 0" in found.notes()
    assert "1 query of the run dropped: no document is judged" in found.notes()


def test_self_hits_agree_in_id_and_text() -> None:
    run = pl.DataFrame(
        {"query": ["d0", "d0", "d1", "d2"], "document": ["d0", "d1", "d1", "d2"], "score": [9.0, 5.0, 1.0, 1.0]}
    )
    queries = {"d0": "river stone ", "d1": "another text", "d2": "only a query"}
    kept = without_self_hits(run, queries, {"d0": "river  stone", "d1": "text of d1"})
    assert kept.dropped == 1
    assert kept.run["document"].to_list() == ["d1", "d1", "d2"]


def test_ignored_pairs_are_taken_out_before_the_cut() -> None:
    run = pl.DataFrame({"query": ["q", "q"], "document": ["bad", "good"], "score": [2.0, 1.0]})
    judged = pl.DataFrame({"query": ["q"], "document": ["good"], "grade": [1]})
    kept = without_pairs(run, pl.DataFrame({"query": ["q", "p"], "document": ["bad", "good"]}))
    assert kept.dropped == 1
    assert score_run(run, judged, at=(1,)).values["MRR@1"] == 0.0
    assert score_run(kept.run, judged, at=(1,)).values["MRR@1"] == 1.0


def test_the_ceiling_of_recall() -> None:
    judged = pl.DataFrame({"query": ["a", "a", "b", "c"], "document": ["1", "2", "3", "4"], "grade": [1, 1, 1, 0]})
    assert recall_ceiling(judged, ["1"]) == pytest.approx((0.5 + 0) / 2)
    assert recall_ceiling(judged, ["1", "2", "3"]) == 1.0
    assert math.isnan(recall_ceiling(judged, [], relevant_from=2))


def test_a_run_is_written_and_read(tmp_path: Path) -> None:
    scores = [0.1, 1 / 3, 1e-7, 16777216.0]
    run = pl.DataFrame({"query": ["q"] * 4, "document": ["ä", "b", "c", "d"], "score": scores})
    assert write_run(run, tmp_path / "run.trec", "my run") == 4
    lines = (tmp_path / "run.trec").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "q Q0 d 1 16777216 my-run"
    back = read_run(tmp_path / "run.trec")
    assert back["document"].to_list() == ["d", "b", "ä", "c"]
    assert np.array_equal(back["score"].cast(pl.Float32), ranked(run)["score"])
    assert write_run(run, tmp_path / "short.trec", "x", k=2) == 2
    with pytest.raises(DataError, match="a document has an empty id"):
        write_run(run.with_columns(document=pl.lit("")), tmp_path / "bad.trec", "x")


def test_ids_with_white_space_are_percent_encoded(tmp_path: Path) -> None:
    names = ["my file.txt", "my%20file.txt", "ä\tb\u2028c", "100%", "d"]
    run = pl.DataFrame(
        {"query": ["q 1", "q 1", "q%201", "q", "q"], "document": names, "score": [5.0, 4.0, 3.0, 2.0, 1.0]}
    )
    write_run(run, tmp_path / "run.trec", "words")
    lines = (tmp_path / "run.trec").read_text(encoding="utf-8").split("\n")
    assert "q%201 Q0 my%20file.txt 1 5 words-percent-encoded" in lines
    assert all(len(line.split()) == 6 for line in lines if line), "as trec_eval reads it"
    assert set(read_run(tmp_path / "run.trec").rows()) == set(run.rows())
    # Without white space in any id, ids stand as they are, per cent signs too.
    plain = run.filter(~pl.concat_str("query", "document").str.contains(r"\s"))
    write_run(plain, tmp_path / "plain.trec", "words")
    assert "q Q0 100% 1 2 words\n" in (tmp_path / "plain.trec").read_text()
    assert set(read_run(tmp_path / "plain.trec").rows()) == set(plain.rows())


@pytest.mark.parametrize(
    ("content", "pairs"),
    [
        ("query-id\tcorpus-id\tscore\nq 1\td1\t2\n", [("q 1", "d1", 2.0)]),
        ("1\t0\t7\t1\n2\t0\t8\t1\n", [("1", "7", 1.0), ("2", "8", 1.0)]),
        ("1 Q0 7 -1\n\n1 0 a\u2028b 1\n", [("1", "7", -1.0), ("1", "a\u2028b", 1.0)]),
    ],
)
def test_judgements_of_three_kinds(tmp_path: Path, content: str, pairs: list[tuple[str, str, float]]) -> None:
    file = tmp_path / "qrels"
    file.write_text(content, encoding="utf-8")
    assert read_judgements(file).rows() == pairs


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"q Q0 d 1 x r\n", "line 1: 'x' is no number"),
        (b"q Q0 d 1 2.0 r\nq d\n", "line 2: 2 fields"),
        (b"q Q0 d 1 nan r\n", "line 1: 'nan' is no number"),
        (b"q Q0 d\xff 1 1 r\n", "line 1: byte 7 is no UTF-8"),
    ],
)
def test_damaged_runs_name_the_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "run").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_run(tmp_path / "run")
    with pytest.raises(UsageError, match="there is no file"):
        read_run(tmp_path / "none")


def test_judgements_that_contradict_are_refused() -> None:
    run = pl.DataFrame({"query": ["q"], "document": ["d"], "score": [1.0]})
    twice = pl.DataFrame({"query": ["q", "q"], "document": ["d", "d"], "grade": [1, 2]})
    with pytest.raises(DataError, match="two grades"):
        score_run(run, twice)
    assert score_run(run, pl.concat([twice[:1], twice[:1]])).values["recall@10"] == 1.0
    assert score_run(run, twice[:1], at=(10, 10)).values == score_run(run, twice[:1], at=(10,)).values
    with pytest.raises(DataError, match="no query is judged"):
        score_run(run, twice[:0])
    with pytest.raises(DataError, match="missing or NaN"):
        ranked(run.with_columns(score=float("nan")))
    with pytest.raises(DataError, match="no column 'score'"):
        ranked(run.drop("score"))
