"""Near copies against brute force, links of links, and the false negatives of planned batches."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.engine.loop.pair_plan import PairPlan, plan_pairs
from ssl_domains.engine.record.config import RunConfig
from ssl_domains.pairs import Composition, parse
from ssl_domains.samples import SampleTable, read_table
from ssl_domains_text.documents.commands import link_duplicates
from ssl_domains_text.documents.links import (
    DocumentGroups,
    document_groups,
    false_negatives,
    linked_edges,
    near_copies,
)
from ssl_domains_text.documents.links.near_copies import word_sets
from ssl_domains_text.documents.links.page import write_page

from .scanned import scan


def terms(text: str) -> set[str]:
    words = text.lower().split()
    return {*words, *(f"{a} {b}" for a, b in itertools.pairwise(words))}


def jaccard(one: str, other: str) -> float:
    a, b = terms(one), terms(other)
    return len(a & b) / len(a | b) if a | b else 0.0


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=6).map(" ".join), max_size=12))
def test_similarities_are_jaccard(texts: list[str]) -> None:
    pairs, values = near_copies(word_sets(texts), 0.5)
    for (one, other), value in zip(pairs.tolist(), values.tolist(), strict=True):
        assert one < other
        assert value == pytest.approx(jaccard(texts[one], texts[other]))
        assert value >= 0.5


def test_near_copies_are_found() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"w{number}" for number in range(300)])
    texts = [" ".join(words[rng.integers(0, 300, 25)]) for _ in range(200)]
    texts += [f"{text} again" for text in texts[:60]]
    expected = {(i, j) for i, j in itertools.combinations(range(len(texts)), 2) if jaccard(texts[i], texts[j]) >= 0.8}
    assert len(expected) == 60
    pairs, _ = near_copies(word_sets(texts), 0.8)
    assert {(int(a), int(b)) for a, b in pairs} == expected
    assert len(near_copies(word_sets(["", "one"]), 0.8)[0]) == 0


@pytest.mark.parametrize("least", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
def test_pairs_of_the_smallest_similarity_are_found(least: float) -> None:
    """500 pairs of 60 words each, which share just enough of them, and nothing with the other pairs."""
    rng = np.random.default_rng(0)
    shared = next(count for count in range(61) if count / (120 - count) >= least)
    sets, expected = [], set()
    for pair in range(500):
        words = rng.choice(1 << 32, 120 - shared, replace=False)
        sets += [np.unique(words[:60]), np.unique(words[60 - shared :])]
        expected.add((2 * pair, 2 * pair + 1))
    pairs, values = near_copies(sets, least)
    assert {(a, b) for a, b in pairs.tolist()} <= expected
    assert values == pytest.approx(np.full(len(pairs), shared / (120 - shared)))
    assert len(pairs) >= 0.98 * len(expected)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """A query with one click; its document has a near copy, which a table links with two others."""
    folder = tmp_path / "in"
    folder.mkdir()
    long = " ".join(f"word{number}" for number in range(20))
    texts = {
        "clicked": long,
        "near": f"{long} again",
        "linked": "said by an engineer",
        "far": "also said by an engineer, far away",
        "equal": f" {long}",
        "other": "another matter entirely",
        "negative": "judged and not relevant",
    }
    (folder / "corpus.jsonl").write_text(
        "\n".join(json.dumps({"_id": name, "text": text}) for name, text in texts.items())
    )
    queries = {"q1": "what is it", "q2": "something else", "q3": "what  is it"}
    (folder / "queries.jsonl").write_text(
        "\n".join(json.dumps({"_id": name, "text": text}) for name, text in queries.items())
    )
    (folder / "qrels.tsv").write_text("q1 0 clicked 1\nq1 0 negative 0\nq2 0 other 1\n")
    (folder / "duplicates.tsv").write_text("id\tduplicate_of\nnear\tlinked\nfar\tlinked\nnegative\tlinked\n")
    scan(folder, tmp_path / "out")
    return tmp_path / "out" / "samples.parquet"


def groups_of(samples: Path, near: float | None = 0.8) -> tuple[SampleTable, DocumentGroups]:
    table = read_table(samples)
    duplicates = pl.read_parquet(samples.with_name("samples.duplicates.parquet"))
    return table, document_groups(table.frame, duplicates, near)


def test_links_of_links(samples: Path) -> None:
    table, groups = groups_of(samples)
    assert groups.counts == {"equal texts": 1, "near copies": 1, "links": 3}
    edges = pl.read_parquet(samples.with_name("samples.relevance.parquet"))
    made = linked_edges(table.frame, edges, groups)
    found = set(made.edges.iter_rows())
    copies = {"d/near", "d/linked", "d/far", "d/equal"}
    # The document that is judged not to be relevant stays as it is judged; q3 has the text of q1.
    assert found == {
        *(("q/q1", name) for name in copies),
        *(("q/q3", name) for name in (*copies, "d/clicked", "d/negative")),
    }
    assert made.queries == 2
    assert made.positives == 2
    place = {name: row for row, name in enumerate(table.frame["sample"])}
    assert groups.reason(place["d/clicked"], place["d/equal"]) == "equal text"
    assert "near copy, 9" in str(groups.reason(place["d/near"], place["d/clicked"]))
    assert groups.reason(place["d/far"], place["d/linked"]) == "linked in the table of duplicates"
    assert groups.reason(place["d/far"], place["d/clicked"]) == "linked over other documents"
    assert groups.reason(place["d/far"], place["d/other"]) is None
    assert groups.reason(place["q/q1"], place["q/q1"]) is None
    assert groups.largest == 6


def test_equal_texts_alone(samples: Path) -> None:
    table, groups = groups_of(samples, near=None)
    assert groups.counts == {"equal texts": 1, "links": 3}
    edges = pl.read_parquet(samples.with_name("samples.relevance.parquet"))
    assert ("q/q1", "d/near") not in set(linked_edges(table.frame, edges, groups).edges.iter_rows())


def test_the_step_is_named_and_counted(samples: Path) -> None:
    said = list(link_duplicates(samples, None, 0.8))
    assert said[0] == (
        "documents that say the same: 1 equal texts, 1 near copies, 3 links; 1 group, the largest of 6 documents"
    )
    assert said[1].startswith("10 links of 2 queries to documents that say what a relevant one says, 5.0 for each of")
    assert len(pl.read_parquet(samples.with_name("samples.links.parquet"))) == 10


def plan_of(samples: Path, rule: str, batch: int) -> PairPlan:
    config = RunConfig().with_values({"train.batch_size": batch})
    return plan_pairs(config, read_table(samples), parse(rule), Composition("partner", seeds="query"))


@pytest.fixture
def batches(tmp_path: Path) -> Path:
    """Four queries with a document each; those of the first two are near copies."""
    folder = tmp_path / "batches"
    folder.mkdir()
    long = " ".join(f"word{number}" for number in range(20))
    texts = {"a": long, "b": f"{long} again", "c": "stones are hard to find", "d": "stones are hard to see in fog"}
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps({"_id": k, "text": v}) for k, v in texts.items()))
    (folder / "queries.jsonl").write_text("\n".join(json.dumps({"_id": f"q{k}", "text": f"find {k}"}) for k in texts))
    (folder / "qrels.tsv").write_text("".join(f"q{k} 0 {k} 1\n" for k in texts))
    scan(folder, tmp_path / "table")
    return tmp_path / "table" / "samples.parquet"


def test_false_negatives_of_planned_batches(batches: Path, tmp_path: Path) -> None:
    edges = str(batches.with_name("samples.relevance.parquet"))
    plan = plan_of(batches, f"linked({edges!r}, grade='relevant')", 4)
    groups = document_groups(plan.table.frame)
    found = false_negatives(plan, groups, batches=3, worst=5, least=0.1)
    assert (found.batches, found.anchors, found.negatives) == (3, 12, 3 * 4 * 3)
    assert (found.linked, found.touched) == (3 * 2, 3 * 2)
    assert "50% of the queries have such a negative" in found.words()
    first, second = found.worst
    assert {first.ids[1], first.ids[2]} == {"d/a", "d/b"}
    assert first.linked
    assert first.reason.startswith("to the positive: near copy, 9")
    assert {second.ids[1], second.ids[2]} == {"d/c", "d/d"}
    assert not second.linked
    assert second.reason.startswith("words like the positive's, cosine 0.")
    write_page(tmp_path / "page.html", found, "a < b", groups.notes())
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "a &lt; b" in page
    assert "<mark>stones</mark>" in page
    assert "<script" not in page


def test_ignored_links_are_no_negatives(batches: Path) -> None:
    table = read_table(batches)
    edges = batches.with_name("samples.relevance.parquet")
    links = linked_edges(table.frame, pl.read_parquet(edges), document_groups(table.frame)).edges
    links.write_parquet(batches.with_name("links.parquet"))
    other = str(batches.with_name("links.parquet"))
    plan = plan_of(batches, f"linked({str(edges)!r}, grade='relevant').ignore(linked({other!r}))", 4)
    found = false_negatives(plan, document_groups(plan.table.frame), batches=3, worst=5)
    assert found.linked == 0
    assert found.negatives == 3 * (12 - 2)


def test_no_negative_looks_like_a_positive(samples: Path, tmp_path: Path) -> None:
    edges = str(samples.with_name("samples.relevance.parquet"))
    plan = plan_of(samples, f"linked({edges!r}, grade='relevant')", 2)
    found = false_negatives(plan, document_groups(plan.table.frame, near=None), batches=2)
    assert found.worst == ()
    write_page(tmp_path / "page.html", found, "rule", [])
    assert "No negative of these batches looks like a positive." in (tmp_path / "page.html").read_text()
