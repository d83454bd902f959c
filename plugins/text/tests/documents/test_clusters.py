"""Clusters of queries against brute force, and sides of a split that keep them whole."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.cli.app import run
from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable, read_table
from ssl_domains.studies import plan_groups
from ssl_domains_text.documents.clusters import QueryClusters, query_clusters, with_clusters

from .scanned import scan, texts

SHARED = os.environ.get("SSL_DOMAINS_SHARED_DATA")


def collection(folder: Path, relevant: dict[str, list[int]], words: dict[str, str]) -> Path:
    """Ten documents, and queries with their relevant ones; returns the sample table."""
    source = folder / "in"
    source.mkdir(parents=True)
    documents = [json.dumps({"_id": f"d{number}", "text": f"document {number}"}) for number in range(10)]
    (source / "corpus.jsonl").write_text("\n".join(documents) + "\n")
    queries = [json.dumps({"_id": name, "text": words.get(name, name)}) for name in relevant]
    (source / "queries.jsonl").write_text("\n".join(queries) + "\n")
    lines = [f"{name}\td{number}\t1" for name, numbers in relevant.items() for number in numbers]
    (source / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(lines) + "\n")
    scan(source, folder)
    return folder / "samples.parquet"


def by_hand(samples: Path, documents: float, words: float) -> set[frozenset[str]]:
    """Clusters from the definition."""
    edges = pl.read_parquet(samples.with_name("samples.relevance.parquet"))
    asked = {name: set(text.split()) for name, text in texts(samples).items() if name.startswith("q/")}
    relevant = {name: set(edges.filter((pl.col("a") == name) & (pl.col("relevant") == 1))["b"]) for name in asked}
    cluster = {name: {name} for name in asked}
    for one, other in itertools.combinations(asked, 2):
        shared = len(relevant[one] & relevant[other])
        least = min(len(relevant[one]), len(relevant[other]))
        alike = len(asked[one] & asked[other]) / len(asked[one] | asked[other])
        if (shared and shared >= documents * least) or alike > words:
            joined = cluster[one] | cluster[other]
            for name in joined:
                cluster[name] = joined
    return {frozenset(one) for one in cluster.values()}


def named(frame: pl.DataFrame, clusters: QueryClusters) -> set[frozenset[str]]:
    rows = frame.with_columns(code=pl.Series(clusters.codes)).filter(pl.col("side") == "query")
    return {frozenset(part["sample"].to_list()) for part in rows.partition_by("code")}


@pytest.mark.parametrize(("documents", "words"), [(0.5, 0.6), (0.7, 0.6), (0.5, 0.3), (1.0, 0.9)])
def test_clusters_are_those_of_the_definition(tmp_path: Path, documents: float, words: float) -> None:
    rng = np.random.default_rng(3)
    relevant = {f"q{k}": sorted(set(rng.integers(0, 10, rng.integers(1, 4)).tolist())) for k in range(12)}
    said = {f"q{k}": " ".join(f"w{k}x{n}" for n in range(5)) for k in range(12)}
    said |= {"q0": "why does the pump leak", "q5": "why does the old pump leak", "q7": "why does the roof leak"}
    samples = collection(tmp_path, relevant, said)
    frame = read_table(samples).frame
    edges = pl.read_parquet(tmp_path / "samples.relevance.parquet")
    found = query_clusters(frame, edges, documents, words)
    assert named(frame, found) == by_hand(samples, documents, words)
    assert (found.codes[(frame["side"] == "document").to_numpy()] == -1).all()
    assert found.sizes.sum() == 12


def test_what_joins_is_counted(tmp_path: Path) -> None:
    samples = collection(
        tmp_path,
        {"q0": [1, 2], "q1": [2, 3, 4], "q2": [5], "q3": [6], "q4": [7]},
        {"q3": "a pump that leaks at night", "q4": "a pump that leaks by night"},
    )
    found = query_clusters(read_table(samples).frame, pl.read_parquet(tmp_path / "samples.relevance.parquet"))
    assert (found.by_documents, found.by_words) == (1, 1)
    assert found.notes()[0] == (
        "5 queries in 3 clusters: 1 pair share at least 50% of the relevant documents of one of the two, 1 pair share "
        "more than 60% of their words"
    )
    assert found.notes()[1] == "2 clusters of several queries, the largest of 2"


def table_of(sizes: list[int]) -> tuple[SampleTable, QueryClusters]:
    codes = np.repeat(np.arange(len(sizes)), sizes)
    ids = [f"q{number}" for number in range(len(codes))] + ["d0", "d1"]
    sides = ["query"] * len(codes) + ["document"] * 2
    table = SampleTable(pl.DataFrame({"sample": ids, "id": ids, "side": sides}))
    return table, QueryClusters(np.append(codes, [-1, -1]), 0, 0, 0.5, 0.6)


def test_folds_are_balanced_by_queries_and_a_study_takes_them() -> None:
    sizes = [47, 11, 9, 8, 5, 4, 4, 4, *([3] * 9), *([2] * 16), *([1] * 54)]
    table, clusters = table_of(sizes)
    made, notes = with_clusters(table, clusters, folds=3)
    queries = made.frame.filter(pl.col("side") == "query")
    tested = [int((queries[f"fold_{fold}"] == "test").sum()) for fold in (1, 2, 3)]
    assert max(tested) - min(tested) <= 1
    assert sum(tested) == sum(sizes)
    assert notes[0].startswith(f"test queries of the folds: {tested[0]} in ")
    for fold in (1, 2, 3):
        assert queries.group_by("cluster").agg(pl.col(f"fold_{fold}").n_unique())[f"fold_{fold}"].max() == 1
    assert made.frame.filter(pl.col("side") == "document")["fold_1"].to_list() == ["train", "train"]
    plan = plan_groups(made, "cluster", folds="fold_*", tuning=0.2)
    documents = (made.frame["side"] == "document").to_numpy()
    assert [int(fold.test.sum()) for fold in plan.folds] == tested
    assert all(fold.train[documents].all() for fold in plan.folds)


@given(st.lists(st.integers(1, 30), min_size=2, max_size=40), st.integers(0, 3))
def test_a_split_keeps_clusters_whole_and_both_sides(sizes: list[int], seed: int) -> None:
    table, clusters = table_of(sizes)
    made, _ = with_clusters(table, clusters, test=0.2, seed=seed)
    queries = made.frame.filter(pl.col("side") == "query")
    sides = queries.group_by("cluster").agg(pl.col("split").unique())["split"].to_list()
    assert all(len(one) == 1 for one in sides)
    held = int((queries["split"] == "test").sum())
    assert 0 < held < sum(sizes)
    # Largest first: no side is more than the smallest cluster away from what moving one cluster would reach.
    assert held <= 0.2 * sum(sizes) + max(sizes)
    assert made.meta.group == "cluster"


def test_too_few_clusters_and_bad_numbers(tmp_path: Path) -> None:
    table, clusters = table_of([5, 4])
    with pytest.raises(DataError, match="2 clusters for 3 sides"):
        with_clusters(table, clusters, folds=3)
    samples = collection(tmp_path, {"q0": [1], "q1": [2]}, {})
    assert run(["text", "cluster-queries", str(samples), "--folds", "1"]) == 2
    assert run(["text", "cluster-queries", str(samples), "--test", "1"]) == 2
    (tmp_path / "samples.relevance.parquet").unlink()
    assert run(["text", "cluster-queries", str(samples)]) == 2


def test_command_keeps_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = collection(tmp_path, {f"q{k}": [k] for k in range(6)} | {"r0": [0]}, {})
    before = texts(samples)
    assert run(["text", "cluster-queries", str(samples), "--folds", "2", "--test", "0.3"]) == 0
    told = capsys.readouterr().out
    assert "7 queries in 6 clusters: 1 pair share at least 50%" in told
    after = read_table(samples)
    assert texts(samples) == before
    assert after.frame.filter(pl.col("id").is_in(["q0", "r0"]))["cluster"].to_list() == ["q0", "q0"]
    assert run(["text", "cluster-queries", str(samples), "--folds", "3"]) == 0  # again: its columns are replaced
    again = read_table(samples)
    assert [name for name in again.columns if name.startswith("fold_")] == ["fold_1", "fold_2", "fold_3"]


@pytest.mark.shared_data
@pytest.mark.skipif(SHARED is None, reason="SSL_DOMAINS_SHARED_DATA is not set")
def test_cranfield(tmp_path: Path) -> None:
    scan(Path(str(SHARED)) / "text" / "cranfield", tmp_path)
    samples = tmp_path / "samples.parquet"
    frame = read_table(samples).frame
    found = query_clusters(frame, pl.read_parquet(tmp_path / "samples.relevance.parquet"))
    assert (len(found.sizes), int(found.sizes.max()), int(found.sizes.sum())) == (87, 47, 225)
