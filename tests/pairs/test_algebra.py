"""Kleene's three values: the laws hold for every bound rule, and its three-valued answers are the reference's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pair_reference as reference
import pair_strategies as strategies
from ssl_domains.pairs import Rows, Rule, linked, overlap, same, within

many = settings(max_examples=100, deadline=None)
few = settings(max_examples=30, deadline=None)  # each example binds dozens of rules

# One sample per truth value against sample 0: same("x") answers yes, no, unknown.
TRUTH = {True: "p", False: "q", None: None}


def answers(rule: Rule, columns: dict[str, list[object]], links: dict[str, Any] | None = None) -> np.ndarray:
    """Yes, no, unknown as 1, 0, −1 for every two samples: yes where the rule matches, no where its inverse does."""
    positions = np.arange(len(next(iter(columns.values()))))
    yes = rule.bind(columns, edges=links).relations[0].rule.weights(positions, positions)
    no = (~rule).bind(columns, edges=links).relations[0].rule.weights(positions, positions)
    assert not (yes * no).any()
    return np.where(yes == 1, 1, np.where(no == 1, 0, -1))


@pytest.mark.parametrize("a", [True, False, None])
@pytest.mark.parametrize("b", [True, False, None])
def test_the_tables(a: bool | None, b: bool | None) -> None:
    columns: dict[str, list[object]] = {"x": ["p", TRUTH[a]], "y": ["p", TRUTH[b]]}
    code = {True: 1, False: 0, None: -1}
    x, y = same("x"), same("y")
    assert answers(x & y, columns)[0, 1] == code[reference.kleene_and(a, b)]
    assert answers(x | y, columns)[0, 1] == code[reference.kleene_or(a, b)]
    assert answers(~x, columns)[0, 1] == code[reference.kleene_not(a)]


@few
@given(data=st.data())
def test_the_laws(data: st.DataObject) -> None:
    columns = data.draw(strategies.columns())
    a, b, c = (data.draw(strategies.rules(max_leaves=3)) for _ in range(3))
    laws = [
        (a & b, b & a),
        (a | b, b | a),
        (~(a & b), ~a | ~b),
        (~(a | b), ~a & ~b),
        (a & (b | c), (a & b) | (a & c)),
        (a | (b & c), (a | b) & (a | c)),
        (a & a, a),
        (a | (a & b), a),
        (~~a, a),
    ]
    for left, right in laws:
        assert np.array_equal(answers(left, columns), answers(right, columns)), f"{left}  is not  {right}"


@many
@given(data=st.data())
def test_every_answer_is_the_references(data: st.DataObject) -> None:
    columns, links = data.draw(strategies.columns()), data.draw(strategies.edges())
    rule = data.draw(strategies.rules(links=True))
    n = len(columns["x"])
    values = reference.RowValues(columns, Rows.of(range(n), views=1), reference.fit(rule, columns), links)
    found = answers(rule, columns, links)
    code = {1: 1, 0: 0, None: -1}
    for i in range(n):
        for j in range(n):
            assert found[i, j] == code[reference.answer(rule, values, i, values, j)]
    assert np.array_equal(found, found.T)


@many
@given(data=st.data())
def test_every_weight_is_the_references(data: st.DataObject) -> None:
    columns, links = data.draw(strategies.columns()), data.draw(strategies.edges())
    rule = data.draw(strategies.relations(links=True))
    n = len(columns["x"])
    values = reference.RowValues(columns, Rows.of(range(n), views=1), reference.fit(rule, columns), links)
    expected = np.array([[reference.weight(rule, values, i, values, j) for j in range(n)] for i in range(n)])
    bound = rule.bind(columns, edges=links).relations[0].rule
    positions = np.arange(n)
    assert np.array_equal(bound.weights(positions, positions), expected)
    assert np.array_equal(bound.matches(positions, positions), expected > 0)
    assert bound.graded == rule.graded
    i, j = np.array(data.draw(st.lists(st.tuples(*[st.integers(0, n - 1)] * 2), min_size=1))).T
    assert np.array_equal(bound.weights_pairwise(i, j), expected[i, j])
    assert np.array_equal(bound.matches_pairwise(i[::-1], j[::-1]), expected[i[::-1], j[::-1]] > 0)
    assert np.array_equal(bound.weights_pairwise(i, j[0]), expected[i, j[0]])


@few
@given(data=st.data())
def test_same_of_two_keys_is_both(data: st.DataObject) -> None:
    columns = data.draw(strategies.columns())
    a, b = data.draw(strategies.keys()), data.draw(strategies.keys())
    assert np.array_equal(answers(same(a, b), columns), answers(same(a) & same(b), columns))


def test_under_not_an_unknown_key_does_not_hide_another_keys_no() -> None:
    columns: dict[str, list[object]] = {"a": [1, 2], "b": [None, 5]}
    assert answers(~same("a", "b"), columns)[0, 1] == 1


def test_graded_matches_multiply_and_the_larger_counts() -> None:
    columns: dict[str, list[object]] = {"x": [0, 1, 4, None], "t": [["u", "v"], ["v"], ["u"], ["u", "v"]]}
    links = {"e": {"a": ["1"], "b": ["0"], "grade": [3]}}
    near, alike, edge = within("x", 4, decay="linear"), overlap("t", weight="jaccard"), linked("e", grade="grade")

    def first(rule: Rule) -> list[float]:
        positions = np.arange(4)
        weights: list[float] = (
            rule.bind(columns, edges=links).relations[0].rule.weights(positions, positions)[0].tolist()
        )
        return weights

    assert first(near) == [1, 0.75, 0, 0]
    assert first(near & alike) == [1, 0.375, 0, 0]
    assert first(near | alike) == [1, 0.75, 0.5, 1]
    assert first(edge | near) == [1, 3, 0, 0]
    assert first(edge & alike) == [0, 1.5, 0, 0]
    assert first(near & ~same("x")) == [0, 0.75, 0, 0]
    assert first(alike | within("x", 1)) == [1, 1, 0.5, 1]


def test_missing_is_never_equal_to_missing() -> None:
    columns: dict[str, list[object]] = {"a": [None, None], "x": [float("nan"), float("nan")]}
    for rule in (same("a"), same("x"), within("x", 100)):
        assert answers(rule, columns).tolist() == [[-1, -1], [-1, -1]]
