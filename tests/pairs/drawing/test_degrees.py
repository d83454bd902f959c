"""Counts of matches in the whole table, against the rule applied to every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pair_strategies as strategies
from ssl_domains.pairs import parse
from ssl_domains.pairs.drawing import degrees
from ssl_domains.pairs.drawing.choose_index import index_of
from ssl_domains.pairs.drawing.degrees import count_matches, sampled_matches


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_rule_is_counted_as_it_matches(data: st.DataObject) -> None:
    columns = data.draw(strategies.columns())
    rule = data.draw(strategies.rules(max_leaves=4)).bind(columns).relations[0].rule
    everyone = np.arange(len(columns["sample"]))
    matches = rule.matches(everyone, everyone)
    np.fill_diagonal(matches, False)
    anchors = everyone[::-1]
    found = count_matches(rule, index_of(rule, len(everyone)), anchors)
    np.testing.assert_array_equal(found, matches.sum(1)[::-1])
    every, exact = sampled_matches(rule, index_of(rule, len(everyone)), len(everyone))
    assert exact
    np.testing.assert_array_equal(every, matches.sum(1))


@pytest.mark.parametrize("rule", ["same('g') & ~same('h')", "overlap('tags')", "same('g') | within('x', 0.1)"])
def test_few_proposals_at_a_time_and_some_rows_when_they_are_many(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    n = 600
    tags = [[str(t) for t in rng.integers(0, 30, 2)] for _ in range(n)]
    columns = {"g": rng.integers(0, 20, n), "h": rng.integers(0, 3, n), "x": rng.normal(size=n), "tags": tags}
    bound = parse(rule).bind(columns).relations[0].rule
    matches = bound.matches(np.arange(n), np.arange(n))
    np.fill_diagonal(matches, False)
    index = index_of(bound, n)
    monkeypatch.setattr(degrees, "_PROPOSALS", 5_000)
    np.testing.assert_array_equal(count_matches(bound, index, np.arange(n)), matches.sum(1))
    some, exact = sampled_matches(bound, index, n)
    assert not exact
    assert 64 <= len(some) < n
    assert some.mean() == pytest.approx(matches.sum(1).mean(), rel=0.1)
