"""A leaf that implements `answer` and `explain` only is right everywhere, if slow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import pair_reference as reference
import pair_strategies as strategies
from ssl_domains.pairs import Rows, Rule, same
from ssl_domains.pairs.binding.binder import Binder
from ssl_domains.pairs.binding.leaf import BoundLeaf
from ssl_domains.pairs.binding.nodes import answer_for
from ssl_domains.pairs.binding.reason import Reason, ShownValues
from ssl_domains.pairs.drawing.indices.runs import CodeRuns, WholeTableRun
from ssl_domains.pairs.rules.algebra import Leaf


@dataclass(frozen=True, repr=False)
class Apart(Leaf):
    """Numbers at least so far apart."""

    column: str
    least: float

    bound_by = f"{__name__}:bind"

    @property
    def columns(self) -> frozenset[str]:
        return frozenset({self.column})

    def __str__(self) -> str:
        return f"apart({self.column!r}, {self.least})"


@dataclass(frozen=True, eq=False)
class BoundApart(BoundLeaf):
    values: NDArray[np.float64]
    least: float

    def answer(self, yes: bool, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.bool_]:
        distance = np.abs(self.values[i] - self.values[j])
        answer: NDArray[np.bool_] = distance >= self.least if yes else distance < self.least
        return answer

    def explain(self, i: int, j: int, shown: ShownValues) -> Reason:
        return Reason(answer_for(self, i, j), "numbers")


def bind(rule: Apart, binder: Binder) -> BoundApart:
    return BoundApart(binder.numbers(rule.column), rule.least)


def apart_answer(rule: Any, a: reference.RowValues, i: int, c: reference.RowValues, j: int) -> float | None:
    x, y = a.value(rule.column, i), c.value(rule.column, j)
    if reference.missing(x) or reference.missing(y):
        return None
    return float(abs(x - y) >= rule.least)


@pytest.fixture(autouse=True)
def known_to_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reference.LEAVES, Apart, apart_answer)


leaves = st.builds(Apart, st.sampled_from(["x", "y"]), st.sampled_from([1.0, 2.5]))
rules = st.one_of(
    leaves,
    leaves.map(lambda leaf: ~leaf),
    st.tuples(leaves, strategies.leaves(graded=True)).map(lambda pair: pair[0] & pair[1]),
    st.tuples(leaves, strategies.leaves(graded=True)).map(lambda pair: pair[0] | pair[1]),
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_pairs_are_those_of_the_reference(data: st.DataObject) -> None:
    columns = data.draw(strategies.columns())
    rule = data.draw(rules)
    rows = data.draw(strategies.batch_rows(len(columns["x"])))
    candidates = data.draw(st.one_of(st.none(), strategies.stored_rows(len(columns["x"]))))
    tile = rule.bind(columns).pairs(rows, candidates).dense()
    expected = reference.states(rule, columns, rows, candidates)
    torch.testing.assert_close(tile.weights, expected.weights, rtol=0, atol=1e-15)
    assert torch.equal(tile.allowed, expected.allowed)


@pytest.mark.parametrize(
    ("rule", "index"), [(Apart("x", 5), WholeTableRun), (same("g") & Apart("x", 5), CodeRuns)], ids=["alone", "beside"]
)
def test_every_match_is_drawn_equally_often(rule: Rule, index: type) -> None:
    columns = {"x": [float(k % 10) for k in range(40)], "g": [k % 3 for k in range(40)]}
    objective, everyone, times = rule.bind(columns), np.arange(40), 300
    assert type(objective.drawer().index) is index
    matches = np.abs(np.subtract.outer(columns["x"], columns["x"])) >= 5
    if index is CodeRuns:
        matches &= np.equal.outer(columns["g"], columns["g"])
    drawn = objective.draw(np.repeat(everyone, times), 1, np.random.default_rng(0)).reshape(40, times)
    statistic, freedom = 0.0, 0
    for anchor in range(40):
        counts, expected = np.bincount(drawn[anchor], minlength=40), times / matches[anchor].sum()
        assert counts[~matches[anchor]].sum() == 0
        statistic += ((counts[matches[anchor]] - expected) ** 2 / expected).sum()
        freedom += int(matches[anchor].sum()) - 1
    assert abs(statistic - freedom) < 5 * (2 * freedom) ** 0.5


def test_a_tile_goes_to_another_device_and_covers_empty_slices() -> None:
    pairs = Apart("x", 1).bind({"x": [0.0, 1.0, 3.0]}).pairs(Rows.of([0, 1, 2], views=1), Rows.stored([-1, 2, -1]))
    assert pairs.to("cpu").dense().matches[0].tolist() == [[False, True, False], [False, True, False], [False] * 3]
    assert pairs.tile(slice(0, 0), slice(0, 3)).matches.shape == (1, 0, 3)
