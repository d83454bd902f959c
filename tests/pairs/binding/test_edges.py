"""`linked` bound to files and frames: what an edge joins, how ids are compared with keys, which files are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import DataError, ResourceError, SslDomainsError, UsageError
from ssl_domains.pairs import BoundRule, Objective, Rule, linked, parse, same
from ssl_domains.pairs.binding import edges
from ssl_domains.samples import IdentifierKey, SampleTable, TableMeta

TABLE = {"sample": ["s0", "s1", "s2", "s3"], "patient": ["p", "q", "p", None], "number": [1, 2, 3, 10]}


def rule_of(rule: Rule | Objective, table: Any = TABLE, edges: dict[str, Any] | None = None) -> BoundRule:
    return rule.bind(table, edges=edges).relations[0].rule


def joined(
    rule: Rule | Objective, table: Any = TABLE, edges: dict[str, Any] | None = None
) -> dict[tuple[int, int], float]:
    """Weights of the linked pairs i < j; the adjacency is symmetric and without self edges."""
    bound = rule_of(rule, table, edges)
    positions = np.arange(len(bound.node.edges.known))  # type: ignore[union-attr]
    weights = bound.weights(positions, positions)
    assert np.array_equal(weights, weights.T)
    assert not weights.diagonal().any()
    return {(int(i), int(j)): float(weights[i, j]) for i, j in zip(*weights.nonzero(), strict=True) if i < j}


@pytest.fixture(params=["csv", "tsv", "parquet"])
def edge_file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    frame = pl.DataFrame({"a": ["s0", "s1", "gone"], "b": ["s1", "s2", "s3"], "rel": [2, 0, 1]})
    name = f"edges.{request.param}"
    if request.param == "parquet":
        frame.write_parquet(name)
    else:
        frame.write_csv(name, separator="," if request.param == "csv" else "\t")
    return name


def test_files_are_read_at_bind_time_from_the_working_directory(edge_file: str) -> None:
    assert joined(linked(edge_file)) == {(0, 1): 1, (1, 2): 1}
    assert joined(linked(edge_file, grade="rel")) == {(0, 1): 2}
    assert joined(parse(f"linked('{Path(edge_file).resolve()}', grade='rel')")) == {(0, 1): 2}


def test_a_given_table_replaces_the_file(edge_file: str) -> None:
    mined = {edge_file: {"a": ["s3"], "b": ["s0"]}}
    assert joined(linked(edge_file), edges=mined) == {(0, 3): 1}
    assert joined(linked(edge_file), edges={"other": mined[edge_file]}) == {(0, 1): 1, (1, 2): 1}


def test_repeated_edges_count_once_with_their_largest_grade() -> None:
    edges = {"e": {"a": ["s0", "s1", "s0", "s2", "s2"], "b": ["s1", "s0", "s1", "s2", "s3"], "g": [1, 3, 2, 5, -1]}}
    assert joined(linked("e", grade="g"), edges=edges) == {(0, 1): 3}
    assert joined(linked("e"), edges=edges) == {(0, 1): 1, (2, 3): 1}


def test_a_shared_key_links_all_its_rows_but_not_among_themselves() -> None:
    edges = {"e": {"a": ["q", "p"], "b": ["p", "p"]}}
    assert joined(linked("e", key="patient"), edges=edges) == {(0, 1): 1, (1, 2): 1}


def test_absent_ids_are_no_and_missing_keys_unknown() -> None:
    edges = {"e": {"a": ["q", None], "b": ["p", "p"]}}
    apart = rule_of(~linked("e", key="patient"), edges=edges)
    assert apart.matches(np.arange(4), np.arange(4)).tolist() == [
        [True, False, True, False],
        [False, True, False, False],
        [True, False, True, False],
        [False, False, False, False],
    ]


def test_tables_without_edges_and_without_rows() -> None:
    nothing = {"e": pl.DataFrame(schema={"a": pl.String, "b": pl.String})}
    assert joined(linked("e", key="number"), edges=nothing) == {}
    assert joined(linked("e"), table={"sample": []}, edges={"e": {"a": ["s0"], "b": ["s1"]}}) == {}
    assert joined(linked("e", key="patient"), table={"patient": [None, None]}, edges=nothing) == {}


@pytest.mark.parametrize(
    ("ends", "key"),
    [
        (["1", "02"], "number"),
        ([1, 2], "number"),
        ([1.0, 2.0], "number"),
        ([1, 2], "text"),
        ([1.0, 2.0], "real"),
        (["1", "2.0"], "real"),
        ([1, 2], "real"),
    ],
)
def test_ids_equal_keys_of_another_type(ends: list[Any], key: str) -> None:
    table = {"number": [1, 2, 3], "text": ["1", "2", "3"], "real": [1.0, 2.0, float("nan")]}
    assert joined(linked("e", key=key), table=table, edges={"e": {"a": ends[:1], "b": ends[1:]}}) == {(0, 1): 1}


def test_ids_that_differ_stay_different_after_conversion() -> None:
    table = {"number": [2**60, 2**60 + 1, 5]}
    edges = {"e": {"a": [5, 5], "b": [2**60 + 1, 7]}}
    assert joined(linked("e", key="number"), table=table, edges=edges) == {(1, 2): 1}
    halves = {"e": {"a": [5.5], "b": [5.0]}}
    assert joined(linked("e", key="number"), table={"number": [5, 6]}, edges=halves) == {}


def test_leading_zeros_of_a_file_are_kept(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("a,b\n007,7\n")
    table = {"id": ["7", "007", "07"]}
    assert joined(linked(str(tmp_path / "e.csv"), key="id"), table=table) == {(0, 1): 1}


def test_identifiers_of_a_file_are_hashed_as_the_tables_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_DOMAINS_HASH_KEY", "a key")
    hashed = [IdentifierKey.load().digest(name) for name in ("ann", "bob", "cem")]
    table = SampleTable.of({"patient": hashed}, TableMeta(identifiers=("patient",)))
    (tmp_path / "e.csv").write_text(f"a,b\nann, bob\n{hashed[1]},cem\n")
    assert joined(linked(str(tmp_path / "e.csv"), key="patient"), table=table) == {(0, 1): 1, (1, 2): 1}


def test_a_relation_that_reads_links_matches_across_parts() -> None:
    edges = {"e": {"a": ["s0"], "b": ["s1"]}}
    objective = (same("patient") + (same("patient") & ~linked("e"))).ignore(linked("e") | same("number"))
    bound = objective.bind(TABLE, edges=edges)
    assert [relation.across_parts for relation in bound.relations] == [False, True]
    assert bound.ignored_across_parts


def test_one_table_is_read_once(tmp_path: Path) -> None:
    edges = linked("e")
    bound = (edges + (edges & same("patient"))).bind(TABLE, edges={"e": {"a": ["s0"], "b": ["s1"]}})
    assert bound.relations[0].rule.node is bound.relations[1].rule.rest[0]


@pytest.mark.parametrize(
    ("text", "kind", "message", "hint"),
    [
        ("linked('none.csv')", UsageError, "linked reads 'none.csv', and there is no such file", "working directory"),
        ("linked('notes.txt')", UsageError, "'notes.txt' is not a table", ".parquet"),
        ("linked('broken.parquet')", DataError, "'broken.parquet' can't be read", "whole"),
        ("linked('e.csv', a='aa')", UsageError, "the edges of 'e.csv' have no column 'aa'", "did you mean 'a'?"),
        ("linked('e.csv', grade='grad')", UsageError, "no column 'grad'", "did you mean 'grade'?"),
        ("linked('e.csv', grade='word')", UsageError, "column 'word' of the edges 'e.csv' holds String", "number"),
        ("linked('e.csv', grade='grade')", DataError, "edges of 'e.csv' without a finite 'grade': 1", "0 for no edge"),
        ("linked('e.csv', key='patinet')", UsageError, "no column 'patinet'", "did you mean 'patient'?"),
        ("linked('e.csv', key='lists')", UsageError, "column 'lists' holds lists", "overlap('lists')"),
        ("linked('e.csv', key='angle')", UsageError, "'angle' is a number that views emit", "column of the table"),
    ],
)
def test_edges_that_do_not_fit(
    text: str, kind: type[SslDomainsError], message: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("e.csv").write_text("a,b,word,grade\ns0,s1,good,1\ns1,s2,bad,\n")
    Path("notes.txt").write_text("a,b\n")
    Path("broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(kind) as caught:
        parse(text).bind({**TABLE, "lists": [["u"], [], [], []]}, emitted=("angle",))
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint


def test_a_key_of_too_few_values_is_refused_before_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges, "_MOST", 7)
    with pytest.raises(ResourceError, match=r"linked\('e', key='patient'\) links 8 pairs of rows"):
        rule_of(linked("e", key="patient"), {"patient": ["p", "q", "p", "q"]}, {"e": {"a": ["p"], "b": ["q"]}})
