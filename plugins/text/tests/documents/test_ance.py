"""ANCE: its loss by brute force, contract 3, and what it mines."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
import torch.nn.functional as F

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, View, Views
from ssl_domains.methods import RowPairs
from ssl_domains.pairs import BatchSampler, Composition, Rows, parse
from ssl_domains.samples import SampleTable, read_table
from ssl_domains.testing import MethodCase, check_method
from ssl_domains.testing.method_case import CaseEncoder
from ssl_domains_text.documents.methods.ance import ANCE, MINED, ANCEOptions
from ssl_domains_text.documents.pairs import relevance, relevance_composition

from .scanned import scan

SLOTS = (3, 0, 9, 1, 5, 12, 7, 14)


def in_batch() -> MethodCase:
    return MethodCase(ANCE, {"top": 0}, seats=(SLOTS, SLOTS[1:] + SLOTS[:1]))


def mined() -> MethodCase:
    from ssl_domains.testing.method_case import picture_recipe

    seats = (SLOTS, SLOTS[1:] + SLOTS[:1], SLOTS[3:] + SLOTS[:3])
    return MethodCase(ANCE, {"top": 0, "temperature": 0.3}, recipe=picture_recipe(3), seats=seats, negatives=1)


@pytest.mark.parametrize("case", [in_batch, mined])
def test_it_trains_the_same_with_gradient_caching_in_two_processes_and_resumed(case: object) -> None:
    check_method(case)


def table_of(queries: int, documents: int) -> SampleTable:
    names = [f"d/{n}" for n in range(documents)] + [f"q/{n}" for n in range(queries)]
    return SampleTable.of({"sample": names, "side": ["document"] * documents + ["query"] * queries})


def test_the_loss_is_that_of_the_paper_with_all_documents_of_the_batch() -> None:
    table = table_of(3, 7)
    relevant = [("q/0", "d/0"), ("q/0", "d/3"), ("q/1", "d/1"), ("q/2", "d/2")]
    ignored = [("q/1", "d/2")]
    edges = {"rel": pl.DataFrame(relevant, schema=["a", "b"], orient="row"),
             "dup": pl.DataFrame(ignored, schema=["a", "b"], orient="row")}  # fmt: skip
    bound = parse("linked('rel').ignore(linked('dup'))").bind(table, edges=edges)
    seats = torch.tensor([[7, 8, 9], [0, 1, 2], [4, 3, 6]])  # queries, positives, mined negatives
    rows = Rows(
        seats.flatten(), torch.arange(3).repeat_interleave(3), torch.zeros(9, dtype=torch.int64), torch.arange(9)
    )
    torch.manual_seed(0)
    method = ANCE(CaseEncoder(), ANCEOptions(temperature=0.2, top=0))
    images = torch.rand(9, 3, 4, 4)
    views = Views(tuple(View(Input(images[3 * v : 3 * v + 3])) for v in range(3)))
    out = method.embed(views)
    value = method.loss(out, RowPairs(bound, rows, rows, torch.device("cpu"), torch.arange(6))).loss
    pooled = method.encoder(images).pooled
    z = F.normalize(pooled.double(), dim=1)
    score = (z @ z.T / 0.2).tolist()
    losses = []
    for slot in range(3):
        query = f"q/{slot}"
        offered = [3, 4, 5, 6, 7, 8]  # the documents of all slots, and no query
        names = {row: table.frame["sample"][int(rows.sample[row])] for row in offered}
        positives = [row for row in offered if (query, names[row]) in relevant]
        allowed = [row for row in offered if (query, names[row]) not in ignored]
        below = math.log(sum(math.exp(score[slot][row]) for row in allowed))
        losses.append(below - sum(score[slot][row] for row in positives) / len(positives))
    assert float(value.detach()) == pytest.approx(sum(losses) / 3, rel=1e-5)


def test_mining_takes_the_nearest_documents_of_each_query() -> None:
    method = ANCE(CaseEncoder(), ANCEOptions(top=4))
    table = table_of(5, 30)
    features = F.normalize(torch.randn(35, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    found = method.refresh.compute(features, table).edges[MINED]  # type: ignore[union-attr]
    for query in range(5):
        nearest = (features[:30] @ features[30 + query]).topk(4).indices
        names = found.filter(pl.col("a") == f"q/{query}")["b"].to_list()
        assert set(names) == {f"d/{n}" for n in nearest.tolist()}
    mixed = table.take(np.random.default_rng(0).permutation(35))  # sides need not stand side by side
    order = [table.frame["sample"].to_list().index(name) for name in mixed.frame["sample"]]
    again = method.refresh.compute(features[order], mixed).edges[MINED]  # type: ignore[union-attr]
    assert set(again.select("a", "b").iter_rows()) == set(found.select("a", "b").iter_rows())
    with pytest.raises(UsageError, match="queries and documents"):
        method.refresh.compute(features[:30], table.take(np.arange(30)))  # type: ignore[union-attr]
    assert ANCE(CaseEncoder(), ANCEOptions(top=0)).refresh is None


@pytest.mark.parametrize("column", ["content", "whole"])
def test_a_document_with_the_text_of_the_query_is_not_mined(column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions that are documents too, as in Quora: of vectors that are equal, the query's own would come first.

    Where documents are cut, ``content`` is of each piece, and ``whole`` tells which document they are of.
    """
    table = table_of(5, 12)
    contents = [*range(12), 3, 4, 4, 50, None]  # q/0 is d/3, q/1 and q/2 are d/4, q/3 is no document
    contents[7] = 3  # d/7 repeats d/3
    frame = table.frame.with_columns(content=pl.Series(contents, dtype=pl.Int64))
    frame = frame.with_columns(content=pl.col("content") * 2**55)  # hashes fill 64 bits, and may be negative
    frame = frame.with_columns((pl.col("content") - 2**58).alias(column))
    table = SampleTable.of(frame if column == "content" else frame.with_columns(content=pl.int_range(17)))
    vectors = torch.randn(17, 8, generator=torch.Generator().manual_seed(0))
    for query, document in ((12, 3), (13, 4), (14, 4)):
        vectors[query] = vectors[document]
    vectors[7] = vectors[3]
    features = F.normalize(vectors, dim=1)
    own = {0: {3, 7}, 1: {4}, 2: {4}}
    for below in (200_000, 5):  # exactly, and by lists
        monkeypatch.setattr("ssl_domains_text.documents.methods.ance.EXACT_BELOW", below)
        for top in (1, 3, 12):
            method = ANCE(CaseEncoder(), ANCEOptions(top=top))
            found = method.refresh.compute(features, table).edges[MINED]  # type: ignore[union-attr]
            for query in range(5):
                ranking = (features[:12] @ features[12 + query]).argsort(descending=True, stable=True).tolist()
                expected = [f"d/{n}" for n in ranking if n not in own.get(query, ())][:top]
                mined = found.filter(pl.col("a") == f"q/{query}")["b"].to_list()
                assert len(mined) == len(expected)
                assert not {int(name[2:]) for name in mined} & own.get(query, set())
                if below > 12:
                    assert set(mined) == set(expected)


def test_known_positives_are_never_drawn_as_negatives(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    names = "abcdefgh"
    entries = ({"_id": name, "text": f"text {name}"} for name in names)
    (tmp_path / "in/corpus.jsonl").write_text("\n".join(map(json.dumps, entries)))
    (tmp_path / "in/queries.jsonl").write_text("\n".join(json.dumps({"_id": f"q{n}", "text": n}) for n in names[:4]))
    (tmp_path / "in/qrels.tsv").write_text("".join(f"q{n} 0 {n} 1\n" for n in names[:4]))
    samples = scan(tmp_path / "in", tmp_path / "out").path
    table = read_table(samples)
    edges = str(tmp_path / "out/samples.relevance.parquet")
    links = pl.DataFrame({"a": ["q/qa"], "b": ["d/e"]})
    found = pl.DataFrame(
        [(f"q/q{q}", f"d/{d}") for q in names[:4] for d in (q, "e", "f")], schema=["a", "b"], orient="row"
    )
    given = {"links": links, MINED: found}
    options = {"file": edges, "links": "links", "negatives": f"linked('{MINED}')"}
    bound = parse(relevance(**options)).bind(table, edges=given)
    composition = relevance_composition(**options)
    assert composition == Composition("partner", seeds="query", negatives=f"linked('{MINED}')")
    sampler = BatchSampler(bound, composition, 4, seed=0, table=table, edges=given)
    drawn = set()
    for epoch in range(20):
        sampler.set_position(epoch, 0)
        for ask in sampler:
            queries, positives, negatives = (table.frame["sample"].gather(seat).to_list() for seat in ask.seats)
            assert positives == ["d/" + query[-1] for query in queries]
            drawn |= set(zip(queries, negatives, strict=True))
    assert drawn == {("q/qa", "d/f"), *((f"q/q{q}", f"d/{d}") for q in "bcd" for d in "ef")}


def test_relevance_as_text() -> None:
    assert (
        relevance("r.parquet") == "linked('r.parquet', grade='relevant').ignore(linked('r.parquet', grade='ignored'))"
    )
    positive = relevance("r.parquet", "l.parquet", as_positives=True)
    assert positive.startswith("(linked('r.parquet', grade='relevant') | linked('l.parquet')).ignore(")
    for text in (positive, relevance("r.parquet", "l.parquet")):
        assert str(parse(text)) == str(parse(str(parse(text))))
    with pytest.raises(UsageError, match="file is empty"):
        relevance("")


@pytest.mark.shared_data
def test_t06_no_known_positive_is_a_negative(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data.parent / "cases" / "text" / "T06"
    if not folder.is_dir():
        pytest.skip("the folder of cases is not beside the data sets")
    expected = json.loads((folder / "case.json").read_text())["expected"]
    table = read_table(scan(folder, tmp_path).path)
    edges = pl.read_parquet(tmp_path / "samples.relevance.parquet")
    bound = parse(relevance(str(tmp_path / "samples.relevance.parquet"))).bind(table)
    place = {name: row for row, name in enumerate(table.frame["sample"])}
    queries, documents = (torch.tensor([place[name] for name in edges[column]]) for column in ("a", "b"))
    tile = bound.pairs(Rows.of(queries, views=1), Rows.stored(documents)).collapsed(slice(0, 6), slice(0, 6))
    beside = ~torch.eye(6, dtype=torch.bool)
    assert int((tile.positive & beside).sum()) == expected["linked_offdiagonal"]
    assert int((tile.negative & beside).sum()) == 30 - expected["linked_offdiagonal"]
    known = set(edges.select("a", "b").iter_rows())
    for i, j in torch.nonzero(tile.negative).tolist():
        assert (edges["a"][i], edges["b"][j]) not in known
