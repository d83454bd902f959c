"""Kleene's three values: the laws hold for every bound rule, and its three-valued answers are the reference's."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.pairs import Rule, same, within

many = settings(max_examples=100, deadline=None)
few = settings(max_examples=30, deadline=None)  # each example binds dozens of rules

# One sample per truth value against sample 0: same("x") answers yes, no, unknown.
TRUTH = {True: "p", False: "q", None: None}


def answers(rule: Rule, columns: dict[str, list[object]]) -> np.ndarray:
    """Yes, no, unknown as 1, 0, −1 for every two samples: yes where the rule matches, no where its inverse does."""
    positions = np.arange(len(next(iter(columns.values()))))
    yes = rule.bind(columns).relations[0].rule.weights(positions, positions)
    no = (~rule).bind(columns).relations[0].rule.weights(positions, positions)
    assert not (yes * no).any()
    return np.where(yes == 1, 1, np.where(no == 1, 0, -1))


@pytest.mark.parametrize("a", [True, False, None])
@pytest.mark.parametrize("b", [True, False, None])
def test_the_tables(a: bool | None, b: bool | None, reference: ModuleType) -> None:
    columns: dict[str, list[object]] = {"x": ["p", TRUTH[a]], "y": ["p", TRUTH[b]]}
    code = {True: 1, False: 0, None: -1}
    x, y = same("x"), same("y")
    assert answers(x & y, columns)[0, 1] == code[reference.kleene_and(a, b)]
    assert answers(x | y, columns)[0, 1] == code[reference.kleene_or(a, b)]
    assert answers(~x, columns)[0, 1] == code[reference.kleene_not(a)]


@few
@given(data=st.data())
def test_the_laws(data: st.DataObject, strategies: ModuleType) -> None:
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
def test_every_answer_is_the_references(data: st.DataObject, reference: ModuleType, strategies: ModuleType) -> None:
    from ssl_domains.pairs import Rows

    columns = data.draw(strategies.columns())
    rule = data.draw(strategies.rules())
    n = len(columns["x"])
    values = reference.RowValues(columns, Rows.of(range(n), views=1), reference.fit(rule, columns))
    found = answers(rule, columns)
    code = {True: 1, False: 0, None: -1}
    for i in range(n):
        for j in range(n):
            assert found[i, j] == code[reference.answer(rule, values, i, values, j)]
    assert np.array_equal(found, found.T)


@few
@given(data=st.data())
def test_same_of_two_keys_is_both(data: st.DataObject, strategies: ModuleType) -> None:
    columns = data.draw(strategies.columns())
    a, b = data.draw(strategies.keys()), data.draw(strategies.keys())
    assert np.array_equal(answers(same(a, b), columns), answers(same(a) & same(b), columns))


def test_under_not_an_unknown_key_does_not_hide_another_keys_no() -> None:
    columns: dict[str, list[object]] = {"a": [1, 2], "b": [None, 5]}
    assert answers(~same("a", "b"), columns)[0, 1] == 1


def test_missing_is_never_equal_to_missing() -> None:
    columns: dict[str, list[object]] = {"a": [None, None], "x": [float("nan"), float("nan")]}
    for rule in (same("a"), same("x"), within("x", 100)):
        assert answers(rule, columns).tolist() == [[-1, -1], [-1, -1]]
