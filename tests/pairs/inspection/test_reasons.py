"""Reasons in words: they answer as the reference does, and name the leaf that decides with its values."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pair_reference as reference
import pair_strategies as strategies
from ssl_domains.pairs import Objective, Rows, parse
from ssl_domains.pairs.binding.reason import number
from ssl_domains.pairs.inspection.reasons import PairReasons
from ssl_domains.pairs.inspection.shown import TableValues, coded_columns
from ssl_domains.samples import SampleTable, TableMeta

COLUMNS: dict[str, Any] = {
    "patient": ["p3", "p3", "p4", None],
    "volume": ["v1", "v1", "v2", "v1"],
    "position_mm": [12.0, 14.5, 30.0, None],
    "when": [date(2020, 1, 1), date(2020, 1, 4), None, date(2021, 1, 1)],
    "slice": [0, 4, 9, 5],
}


def reasons(rule: str, columns: dict[str, Any] = COLUMNS, identifiers: tuple[str, ...] = (), **options: Any) -> Any:
    objective = parse(rule)
    objective = Objective.of(objective)
    table = SampleTable(SampleTable.of(columns).frame, TableMeta(identifiers=identifiers))
    emitted = options.pop("emitted", ())
    return PairReasons(objective, objective.bind(table, emitted=emitted), table, **options)


def text_of(rule: str, i: int = 0, j: int = 1, **options: Any) -> str:
    return str(reasons(rule, **options).state(i, j).text)


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_answers_are_those_of_the_reference(data: st.DataObject) -> None:
    columns = data.draw(strategies.columns())
    rule = data.draw(strategies.rules(max_leaves=4))
    found = reasons(str(rule), columns)
    rows = Rows.of(range(len(columns["sample"])), views=1)
    values = reference.RowValues(columns, rows, reference.fit(rule, columns))
    says = {True: "yes", False: "no", None: "unknown"}
    for i in range(len(rows)):
        for j in range(len(rows)):
            reason = found.relation(0, i, j)
            assert reason.answer == says[reference.answer(rule, values, i, values, j)]
            assert reason.text


@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_states_are_those_of_the_reference(data: st.DataObject) -> None:
    columns = data.draw(strategies.columns())
    one, two, left_out = (data.draw(strategies.rules(max_leaves=3)) for _ in range(3))
    objective = (0.5 * one + 0.5 * two).ignore(left_out)
    found = reasons(str(objective), columns)
    kinds = reference.states(objective, columns, Rows.of(range(len(columns["sample"])), views=1)).kind
    for i, row in enumerate(kinds):
        for j, kind in enumerate(row):
            if i != j:
                assert found.state(i, j).state == kind


@pytest.mark.parametrize(
    ("rule", "i", "j", "text"),
    [
        ("same('patient')", 0, 1, "same patient p3"),
        ("same('patient')", 0, 2, "no: other patient (p3, p4)"),
        ("same('patient')", 0, 3, "unknown: patient unknown (missing here)"),
        ("same('patient')", 3, 0, "unknown: patient unknown (missing in the anchor)"),
        ("within('position_mm', 4)", 0, 1, "position_mm 12 and 14.5: 2.5 apart, within 4"),
        ("within('position_mm', 4)", 0, 2, "no: position_mm 12 and 30: 18 apart, not within 4"),
        ("within('when', 7)", 0, 1, "when 2020-01-01 and 2020-01-04: 3 days apart, within 7"),
        (
            "same('volume') & within('position_mm', 4)", 0, 1,
            "same volume v1, position_mm 12 and 14.5: 2.5 apart, within 4",
        ),
        (
            "same('patient') & same('volume') & within('position_mm', 4)", 0, 3,
            "unknown: patient unknown (missing here); position_mm unknown (missing here)",
        ),
        (
            "same('volume') & within('position_mm', 4)", 2, 3,
            "no: other volume (v2, v1); position_mm unknown (missing here)",
        ),
        (
            "same('volume') & within('position_mm', 1)", 0, 1,
            "no: position_mm 12 and 14.5: 2.5 apart, not within 1, though same volume v1",
        ),
        ("same('patient') | same('volume')", 0, 3, "same volume v1"),
        ("same('patient') | same('volume')", 0, 2, "no: other patient (p3, p4); other volume (v1, v2)"),
        ("~same('volume')", 0, 2, "other volume (v1, v2)"),
        ("~same('volume')", 0, 1, "no: same volume v1"),
        ("same('patient', 'volume')", 0, 1, "same patient p3, same volume v1"),
        ("same('sample')", 0, 1, "no: another sample"),
        ("same(bins('slice', 3))", 1, 3, "slice 4 and 5: same bin 2 of 3"),
        ("same(bins('slice', 3))", 0, 2, "no: slice 0 and 9: bins 1 and 3 of 3"),
        ("same(bins('slice', 2, per='volume'))", 1, 3, "slice 4 and 5: same bin 2 of 2 of its volume"),
        ("0.7*same('patient') + 0.3*same('volume')", 0, 1, "same patient p3 · same volume v1"),
        ("0.7*same('patient') + 0.3*same('volume')", 0, 3, "same volume v1"),
        (
            "0.7*same('patient') + 0.3*within('slice', 1)", 0, 3,
            "unknown: patient unknown (missing here) · no: slice 0 and 5: 5 apart, not within 1",
        ),
        (
            "same('patient').ignore(same('volume'))", 0, 3,
            "ignored: same volume v1; patient unknown (missing here)",
        ),
        (
            "(same('volume') & within('position_mm', 1)).ignore(same('volume'))", 0, 1,
            "ignored: same volume v1; position_mm 12 and 14.5: 2.5 apart, not within 1",
        ),
        ("none", 0, 1, "no relation: only own views are positives"),
        ("same('sample').across_parts()", 0, 1, "no: another sample"),
    ],
)  # fmt: skip
def test_words(rule: str, i: int, j: int, text: str) -> None:
    assert text_of(rule, i, j) == text


def test_emitted_numbers_are_unknown_before_the_views_exist() -> None:
    assert text_of("within('angle', 1)", emitted=("angle",)) == "unknown: angle is known only once the views are made"


def test_identifiers_are_letters_in_every_leaf() -> None:
    columns = {**COLUMNS, "number": [1003, 1003, 1005, 1004]}
    found = reasons("same('patient') & within('number', 1) & same(bins('number', 2))", columns, ("patient", "number"))
    texts = [found.state(i, j).text for i in range(4) for j in range(4) if i != j]
    assert texts[0] == "same patient A, number within 1, number: same bin 1 of 2"
    for text in texts:
        assert not any(secret in text for secret in ("p3", "p4", "100"))


def test_letters_follow_the_order_of_printing() -> None:
    values = TableValues(SampleTable.of({"who": [f"n{k}" for k in range(800)]}), ("who",))
    assert [values.text("who", row) for row in (7, 3, 7)] == ["A", "B", "A"]
    assert [values.text("who", row) for row in range(30)][-4:] == ["AA", "AB", "AC", "AD"]
    assert [values.text("who", row) for row in range(800)][-1] == "ADT"


def test_columns_of_many_values_and_the_groups_are_coded() -> None:
    frame = pl.DataFrame(
        {
            "kind": ["a", "b"] * 40, "who": [f"n{k}" for k in range(80)], "age": [k + 0.5 for k in range(80)],
            "place": ["x"] * 80, "tags": [["a"], ["b"]] * 40, "slice": list(range(80)),
        }
    )  # fmt: skip
    table = SampleTable(SampleTable.of(frame).frame, TableMeta(identifiers=("kind",)))
    columns = [*frame.columns, "nowhere"]
    assert coded_columns(table, columns, hidden=("place",)) == {"kind", "who", "place", "slice"}
    assert coded_columns(table, columns, measured=("slice", "kind")) == {"kind", "who"}


def test_numbers_are_rounded_for_reading() -> None:
    assert [number(x) for x in (12.0, -0.25, 1 / 3, 12345.0)] == ["12", "−0.25", "0.3333", "12345"]


def test_a_number_that_is_not_a_number_and_infinities() -> None:
    columns = {"x": [float("nan"), 1.0, float("inf"), float("inf")]}
    assert text_of("within('x', 1)", 1, 0, columns=columns) == "unknown: x unknown (missing here)"
    assert text_of("within('x', 1)", 2, 3, columns=columns) == "unknown: x unknown (no finite difference)"


LISTS: dict[str, Any] = {
    "tags": [["cat", "dog", "cat"], ["dog", "owl"], [], None, ["cat", "dog", "owl"]],
    "who": ["a", "b", "c", None, "d"],
    "x": [0.0, 1.0, 3.0, 4.0, None],
}


@pytest.mark.parametrize(
    ("rule", "i", "j", "text"),
    [
        ("overlap('tags')", 0, 1, "shares tags dog"),
        ("overlap('tags')", 0, 4, "shares tags cat, dog"),
        ("overlap('tags')", 0, 2, "no: no tags shared"),
        ("overlap('tags')", 0, 3, "unknown: tags unknown (missing here)"),
        ("overlap('tags', at_least=2)", 0, 1, "no: shares only 1 of 2 tags (dog)"),
        ("overlap('tags', at_least=2)", 0, 2, "no: no tags shared, 2 needed"),
        ("overlap('tags', weight='jaccard')", 0, 1, "shares tags dog, weight 0.3333"),
        ("within('x', 4, decay='linear')", 0, 1, "x 0 and 1: 1 apart, within 4, weight 0.75"),
        ("within('x', 4, decay='linear')", 0, 3, "no: x 0 and 4: 4 apart, weighs nothing from 4 on"),
        ("within('x', 4, decay='linear')", 0, 4, "unknown: x unknown (missing here)"),
        (
            "overlap('tags', weight='jaccard') & within('x', 4, decay='linear')", 0, 1,
            "shares tags dog, x 0 and 1: 1 apart, within 4, weight 0.25",
        ),
        ("linked('edges.csv', key='who')", 0, 1, "linked"),
        ("linked('edges.csv', key='who', grade='rel')", 0, 1, "linked, grade 2"),
        ("linked('edges.csv', key='who')", 0, 2, "no: not linked"),
        ("linked('edges.csv', key='who')", 0, 3, "unknown: who unknown (missing here)"),
        ("~linked('edges.csv', key='who') & overlap('tags')", 0, 4, "not linked, shares tags cat, dog"),
    ],
)  # fmt: skip
def test_words_of_lists_edges_and_grades(
    rule: str, i: int, j: int, text: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edges.csv").write_text("a,b,rel\na,b,2\nb,d,1\n")
    assert text_of(rule, i, j, columns=LISTS) == text


def test_members_of_coded_lists_are_letters() -> None:
    found = reasons("overlap('tags')", LISTS, coded=("tags",))
    assert found.state(0, 4).text == "shares tags A, B"
    assert found.values.text("tags", 1) == "B, C"
    assert found.values.text("tags", 2) == "none"


def test_objectives_in_words() -> None:
    from ssl_domains.pairs.rules.words import objective_words

    def words(text: str) -> str:
        objective = parse(text)
        return objective_words(Objective.of(objective))

    assert words("same('volume') & within('p', 4)") == "Positives: same volume and p at most 4 apart"
    assert words("same('a') & (same('b') | ~same('c'))") == "Positives: same a and (same b or another c)"
    assert words("0.7*same('a') + 0.3*same(bins('s', 30))") == (
        "Positives of 2 relations: 0.7 × same a; 0.3 × same bin of s (30 bins)"
    )
    assert words("overlap('tags', at_least=2) | linked('/data/qrels.tsv')") == (
        "Positives: at least 2 members of tags in common or linked in qrels.tsv"
    )
    assert words("within('x', 2, decay='linear')") == "Positives: x at most 2 apart, the closer the more"
    assert words("same('a').ignore(same('b'))") == "Positives: same a. Ignored: same b"
    assert words("none").startswith("No relation")
    assert isinstance(parse("none"), Objective)
