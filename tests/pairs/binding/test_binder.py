"""Binding: fitted edges, clamping, missing columns, contents of a bound objective."""

from __future__ import annotations

import dataclasses
import json
import pickle
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pair_reference as reference
from ssl_domains.errors import UsageError
from ssl_domains.pairs import BoundObjective, Objective, Rows, Rule, RuleTypeError, bins, parse, same, within
from ssl_domains.pairs.binding.bins import assign_bins, fit_edges
from ssl_domains.samples import SampleTable

NAN = float("nan")


def codes(rule: Rule, data: Any, fitted: dict[str, list[float]] | None = None) -> list[int]:
    found = rule.bind(data, fitted).relations[0].codes
    assert found is not None
    return found.tolist()


def test_bins_are_closed_below_and_the_last_above() -> None:
    assert codes(same(bins("x", 3)), {"x": [0, 1, 2, 3]}) == [0, 1, 2, 2]


def test_a_constant_column_is_bin_0() -> None:
    assert codes(same(bins("x", 5)), {"x": [7.0, 7.0, None]}) == [0, 0, -1]
    assert codes(same(bins("x", 5, by="quantile")), {"x": [7.0, 7.0, NAN]}) == [0, 0, -1]


def test_tied_quantile_edges_merge() -> None:
    table = {"x": [0, 0, 0, 0, 0, 0, 1, 2]}
    assert same(bins("x", 4, by="quantile")).fit(table) == {"bins('x', 4, by='quantile')": [0.0, 0.25, 2.0]}
    assert codes(same(bins("x", 4, by="quantile")), table) == [0, 0, 0, 0, 0, 0, 1, 1]


def test_outside_values_clamp_to_the_end_bins() -> None:
    rule = same(bins("x", 2))
    fitted = rule.fit({"x": [0, 10]})
    assert fitted == {"bins('x', 2)": [0.0, 5.0, 10.0]}
    assert codes(rule, {"x": [-100, 4.9, 5, 1e9, float("inf"), float("-inf")]}, fitted) == [0, 0, 1, 1, 1, 0]


def test_per_group_uses_its_own_range_over_its_rows() -> None:
    table = {"x": [0, 5, 10, 100, 150, 200, 3, 4], "v": ["a", "a", "a", "b", "b", "b", None, "c"]}
    assert codes(same(bins("x", 2, per="v")), table) == [0, 1, 1, 0, 1, 1, -1, 0]
    assert same(bins("x", 2, per="v")).fit(table) == {}
    assert codes(same(bins("x", 2, per="v")), table, {}) == [0, 1, 1, 0, 1, 1, -1, 0]


def test_range_needs_no_fit() -> None:
    assert codes(same(bins("x", 4, range=(0, 8))), {"x": [1, 2, 7.9, 8, 9, -1]}, {}) == [0, 1, 3, 3, 3, 0]


def test_a_full_turn_wraps() -> None:
    rule = same(bins("phi", 4, range=(-45, 315), wrap=True))
    degrees = [0, -44, -46, 44, 45, 90, 179, -179, 180, -180, 315, 675, -405, 720.5]
    assert codes(rule, {"phi": degrees}, {}) == [0, 0, 3, 0, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0]
    assert codes(rule, {"phi": [None, NAN, -1e-300]}, {}) == [-1, -1, 0]
    assert parse(str(rule)) == rule
    assert str(rule) == "same(bins('phi', 4, range=(-45, 315), wrap=True))"
    emitted = same(bins("phi", 4, range=(-45, 315), wrap=True)).bind({"a": [1, 2]}, emitted=["phi"])
    rows = Rows.of(np.arange(2), views=2, emitted={"phi": np.array([170.0, -170.0, 10.0, 100.0])})
    weights = emitted.pairs(rows).dense().weights[0].numpy() > 0
    assert weights[0, 1]
    assert not weights[0, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"wrap": True}, "needs the range of a full turn"), ({"wrap": 1, "range": (0, 1)}, "wrap=True or wrap=False")],
)
def test_what_does_not_wrap(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((UsageError, RuleTypeError), match=message):
        bins("phi", 4, **arguments)


def test_a_column_without_values() -> None:
    rule = same(bins("x", 4))
    assert rule.fit({"x": [None, NAN]}) == {"bins('x', 4)": []}
    assert codes(rule, {"x": [None, NAN]}) == [-1, -1]
    assert codes(rule, {"x": [1.0, 2.0]}, {"bins('x', 4)": []}) == [0, 0]


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.floats(-1e6, 1e6) | st.integers(-4, 4).map(float) | st.just(NAN), max_size=12),
    other=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=5),
    n=st.integers(1, 7),
    by=st.sampled_from(["width", "quantile"]),
)
def test_edges_and_bins_are_the_references(values: list[float], other: list[float], n: int, by: Any) -> None:
    edges = fit_edges(np.array(values, dtype=np.float64), n, by)
    assert edges == reference.edges_of(values, n, by)
    assert edges == sorted(set(edges))
    found = assign_bins(np.array(values + other, dtype=np.float64), edges).tolist()
    expected = [reference.bin_of(value, edges) for value in values + other]
    assert found == [-1 if one is None else one for one in expected]


def test_fitted_edges_are_json() -> None:
    objective = (0.7 * same(bins("x", 3)) + same("a")).ignore(~same(bins("x", 2, by="quantile")) | same("a"))
    table = {"x": [0.1, 0.2, 0.7], "a": [1, 2, 3]}
    fitted = objective.fit(table)
    assert set(fitted) == {"bins('x', 3)", "bins('x', 2, by='quantile')"}
    assert json.loads(json.dumps(fitted)) == fitted
    assert codes(same(bins("x", 3)), table, fitted) == codes(same(bins("x", 3)), table)


def test_frames_and_mappings_are_tables() -> None:
    columns = {"a": ["p", "q", "p"], "x": [1, 2, 3]}
    pandas = pytest.importorskip("pandas", reason="pandas is an extra")
    for data in (columns, pl.DataFrame(columns), pandas.DataFrame(columns), SampleTable.of(columns)):
        bound = (same("a") & within("x", 1)).bind(data)
        assert bound.size == 3
        assert bound.relations[0].rule.weights(np.arange(3), np.arange(3)).tolist() == np.eye(3).tolist()


def test_only_conjunctions_of_same_have_codes() -> None:
    table = {"a": [1, 1, 2, None], "b": [1, 1, 1, 1], "x": [1.0, 2.0, 3.0, NAN]}

    def first(rule: Rule) -> Any:
        return rule.bind(table).relations[0].codes

    assert first(same("a", "b")).tolist() == [0, 0, 1, -1]
    assert first(same("a") & same("b")).tolist() == [0, 0, 1, -1]
    assert first(same("a") & (same("b") & same("sample"))).tolist() == [0, 1, 2, -1]
    for rule in (same("a") & within("x", 1), same("a") | same("b"), ~same("a"), within("x", 1)):
        assert first(rule) is None
    mixed = (within("x", 1) & same("a") & same("b")).bind(table).relations[0].rule
    assert mixed.codes is not None
    assert mixed.codes.tolist() == [0, 0, 1, -1]
    assert len(mixed.rest) == 1


def test_names_weights_and_parts() -> None:
    bound = (
        (0.7 * same("a") + within("x", 1).across_parts()).ignore(same("a").across_parts()).bind({"a": [1], "x": [1]})
    )
    assert bound.names == ("same('a')", "within('x', 1).across_parts()")
    assert [relation.weight for relation in bound.relations] == [0.7, 1.0]
    assert [relation.across_parts for relation in bound.relations] == [False, True]
    assert bound.ignored is not None
    assert bound.ignored_across_parts


def arrays(value: Any) -> list[Any]:
    """Every leaf of a bound objective."""
    if dataclasses.is_dataclass(value):
        return [leaf for field in dataclasses.fields(value) for leaf in arrays(getattr(value, field.name))]
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in arrays(item)]
    return [value]


def test_a_bound_objective_is_picklable_and_holds_numpy_only() -> None:
    table = {"a": ["p", "q"], "x": [1.0, None]}
    bound = (same("a", bins("x", 2)) + ~within("x", 1) + Objective()).ignore(same("a")).bind(table)
    assert all(isinstance(leaf, (np.ndarray, str, int, float, bool, dict, type(None))) for leaf in arrays(bound))
    again = pickle.loads(pickle.dumps(bound))
    assert isinstance(again, BoundObjective)
    assert again.names == bound.names
    positions = np.arange(2)
    for first, second in zip(bound.relations, again.relations, strict=True):
        assert np.array_equal(first.rule.weights(positions, positions), second.rule.weights(positions, positions))


def test_one_column_is_one_array() -> None:
    bound = (same("a") + same("a")).ignore(~same("a")).bind({"a": [1, 2]})
    assert bound.relations[0].codes is bound.relations[1].codes


def test_emitted_numbers_are_unknown_before_the_views_are_made() -> None:
    bound = ((same("a") & within("angle", 1)) + (same("a") | ~same("angle"))).bind({"a": [1, 1, 2]}, emitted=("angle",))
    positions = np.arange(3)
    assert not bound.relations[0].rule.weights(positions, positions).any()
    assert bound.relations[1].rule.weights(positions, positions)[0].tolist() == [1, 1, 0]
    assert bound.relations[0].rule.reads_emitted
    assert bound.relations[0].codes is None


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("same('patinet')", "no column 'patinet'", "did you mean 'patient'?"),
        ("same('a').ignore(within('sise', 1))", "no column 'sise'", "did you mean 'size'?"),
        ("same(bins('sise', 3))", "no column 'sise'", "did you mean 'size'?"),
        ("same(bins('size', 3, per='vol'))", "no column 'vol'", "known"),
        ("within('patient', 3)", "not numbers", "same()"),
        ("same(bins('patient', 3))", "not numbers", "same()"),
        ("same(bins('angle', 3))", "cuts a number that views emit", "range=(lo, hi)"),
        ("same(bins('size', 3, per='angle'))", "which views emit", "column of the table"),
    ],
)
def test_columns_that_do_not_fit(text: str, message: str, hint: str) -> None:
    table = {"patient": ["p"], "size": [1.0], "a": [1]}
    with pytest.raises(UsageError) as caught:
        parse(text).bind(table, emitted=("angle",))
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_other_objects_are_no_table() -> None:
    with pytest.raises(UsageError, match="list is no table"):
        same("a").bind([1, 2])


def test_edges_that_were_not_fitted() -> None:
    with pytest.raises(UsageError, match=r"no fitted edges for bins\('x', 3\)"):
        same(bins("x", 3)).bind({"x": [1]}, {"bins('x', 4)": [0, 1]})


def test_a_name_both_in_the_table_and_emitted() -> None:
    with pytest.raises(UsageError, match="both a column and a number that views emit"):
        within("x", 1).bind({"x": [1]}, emitted=("x",))
