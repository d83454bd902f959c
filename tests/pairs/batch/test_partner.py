"""One drawn positive for each row, against the dense states."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pair_strategies as strategies
from ssl_domains.pairs import Objective, Rows, same, within
from ssl_domains.pairs.batch import partner


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_partners_are_positives_and_every_row_with_a_positive_has_one(data: st.DataObject) -> None:
    columns = data.draw(strategies.columns())
    size = len(columns["x"])
    objective = data.draw(strategies.objectives())
    rows = data.draw(strategies.batch_rows(size))
    candidates = data.draw(st.one_of(st.none(), strategies.stored_rows(size)))
    if candidates is not None and data.draw(st.booleans()):
        candidates = Rows.cat([candidates, rows])
    batch = objective.bind(columns).pairs(rows, candidates)
    positive = batch.dense().matches.any(dim=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partner, "_SWEEP", data.draw(st.sampled_from([2, 1024])))
        chosen = batch.partner(torch.Generator().manual_seed(data.draw(st.integers(0, 9))))
    assert chosen.dtype == torch.int64
    assert torch.equal(chosen >= 0, positive.any(dim=1))
    drawn = chosen >= 0
    assert positive[drawn.nonzero().squeeze(1), chosen[drawn]].all()


TABLE = {"g": [0, 0, 0, 0, 1, 1, 2], "h": [0, 1, 0, 1, 0, 1, 0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}


@pytest.mark.parametrize(
    "objective", [1 * same("g"), same("g") + same("h"), 1 * within("x", 2), Objective(), 1 * same("g", "h")], ids=str
)
@pytest.mark.parametrize("sweep", [6, 1024])
def test_every_positive_is_equally_likely(objective: Objective, sweep: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(partner, "_SWEEP", sweep)
    batch = objective.bind(TABLE).pairs(Rows.of(list(range(7)), views=2))
    positive = batch.dense().matches.any(dim=0)
    generator = torch.Generator().manual_seed(1)
    counts = torch.zeros(14, 14, dtype=torch.float64)
    times = 400
    for _ in range(times):
        counts[torch.arange(14), batch.partner(generator)] += 1
    assert (counts[~positive] == 0).all()
    expected = (positive / positive.sum(1, keepdim=True) * times)[positive]
    statistic = ((counts[positive] - expected) ** 2 / expected).sum()
    freedom = positive.sum() - 14
    assert (statistic - freedom).abs() <= 5 * (2 * freedom.double()).sqrt()


def test_the_same_generator_draws_the_same() -> None:
    batch = same("g").bind(TABLE).pairs(Rows.of(list(range(7)), views=2))
    one, two = (batch.partner(torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(one, two)


def test_a_row_without_a_positive_has_no_partner() -> None:
    batch = same("g").bind(TABLE).pairs(Rows.of([4, 5, 6], views=1))
    assert batch.partner(torch.Generator().manual_seed(0)).tolist() == [1, 0, -1]
    empty = same("g").bind(TABLE).pairs(Rows.of([4], views=1), Rows.stored([]))
    assert empty.partner().tolist() == [-1]
