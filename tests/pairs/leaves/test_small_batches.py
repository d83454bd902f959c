"""Small batches take forms of their own in `within`, `overlap` and `linked`; large ones must answer the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pair_reference as reference
import pair_strategies as strategies
from ssl_domains.pairs import Rows, linked, overlap, within
from ssl_domains.pairs.leaves import linked_rows, overlap_rows, within_rows

LIMITS = ((within_rows, "_SMALL"), (overlap_rows, "_FEW"), (linked_rows, "_SMALL"))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_forms_of_large_batches_follow_the_rule(data: st.DataObject) -> None:
    columns, links = data.draw(strategies.columns()), data.draw(strategies.edges())
    size = len(columns["x"])
    objective = data.draw(strategies.objectives(links=True))
    rows = data.draw(strategies.batch_rows(size))
    queue = data.draw(strategies.stored_rows(size))
    candidates = data.draw(st.sampled_from([None, Rows.cat([queue, rows])]))
    with pytest.MonkeyPatch.context() as patch:
        for module, name in LIMITS:
            patch.setattr(module, name, -1)
        tile = objective.bind(columns, edges=links).pairs(rows, candidates).dense()
    expected = reference.states(objective, columns, rows, candidates, links=links)
    assert torch.equal(tile.weights, expected.weights)
    assert torch.equal(tile.allowed, expected.allowed)


@pytest.mark.parametrize(
    "rule",
    [within("x", 3), ~within("x", 3), overlap("tags", 2), overlap("tags", weight="jaccard"), ~overlap("tags"),
     linked("edges", grade="grade"), ~linked("edges")],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("samples", [40, 300])
def test_both_forms_agree(rule: Any, samples: int) -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randint(0, 200, (300,), generator=g).double()
    x[::7] = torch.nan
    tags = [None if k % 11 == 0 else sorted({(k * p) % 23 for p in range(k % 6)}) for k in range(300)]
    ends = torch.randint(0, 300, (2, 900), generator=g).tolist()
    grades = torch.randint(0, 4, (900,), generator=g).double().tolist()
    edges = {"edges": {"a": ends[0], "b": ends[1], "grade": grades}}
    bound = rule.bind({"sample": list(range(300)), "x": x.tolist(), "tags": tags}, edges=edges)
    rows = Rows.of(torch.randperm(300, generator=g)[:samples])
    small = bound.pairs(rows).dense()
    with pytest.MonkeyPatch.context() as patch:
        for module, name in LIMITS:
            patch.setattr(module, name, -1)
        large = bound.pairs(rows).dense()
    assert torch.equal(small.weights, large.weights)
    assert 0 < int(small.matches.sum()) < small.matches.numel()


def test_common_members_are_counted_exactly_inside_autocast() -> None:
    tags = [list(range(100)), list(range(1, 100)), list(range(3, 100))]
    batch = overlap("tags", 99).bind({"tags": tags}).pairs(Rows.of([0, 1, 2], views=1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert batch.dense().matches[0].tolist() == [[False, True, False], [True, False, False], [False] * 3]
