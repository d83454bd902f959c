"""Blocks of a survey: shared places, overlapping boxes and gaps, against brute force."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.audit import Side
from ssl_domains.audit.blocks import shared_places
from ssl_domains.errors import UsageError
from ssl_domains.samples import SampleTable

places = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25)


def side(name: str, rows: list[tuple[int, ...]], **more: list[object]) -> Side:
    values = np.array(rows, dtype=float)
    columns = {axis: values[:, number] for number, axis in enumerate(("inline", "crossline")[: values.shape[1]])}
    return Side(name, SampleTable.of(pl.DataFrame({**columns, **more})))


@settings(deadline=None, max_examples=80)
@given(places, places)
def test_shares_and_gaps_are_those_of_brute_force(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    block, gap = shared_places(side("a", a), side("b", b), ("inline", "crossline"), gap=3)
    assert block.rows_b == sum(place in set(a) for place in b)
    assert block.rows_a == sum(place in set(b) for place in a)
    assert block.found == len(set(a) & set(b))
    nearest = min(max(abs(x - u), abs(y - v)) for x, y in a for u, v in b)
    assert block.details["gap"] == nearest
    assert gap.leak == (nearest < 3)
    assert block.leak == (nearest == 0)


def test_boxes_overlap_in_volume() -> None:
    grid = [(i, x) for i in range(10) for x in range(0, 40, 4)]
    moved = [(i, x + 20) for i, x in grid]
    (block,) = shared_places(side("a", grid), side("b", moved), ("inline", "crossline"))
    assert block.details["box_overlap_b"] == pytest.approx(0.5)
    assert block.rows_b == 50
    (apart,) = shared_places(side("a", grid), side("b", [(i, x + 40) for i, x in grid]), ("inline", "crossline"))
    assert apart.details["box_overlap_b"] == 0
    assert apart.details["gap"] == 4  # in line numbers, which step by 4 here
    assert apart.details["ranges_b"] == [[0, 9], [40, 76]]


def test_a_fold_between_training_blocks_has_its_gap_on_both_sides() -> None:
    line = [(x,) for x in range(100)]
    train, test = [p for p in line if not 25 <= p[0] < 65], [p for p in line if 35 <= p[0] < 55]
    block, gap = shared_places(side("train", train), side("test", test), ("inline",), gap=11)
    assert (block.details["gap"], gap.leak) == (11, False)
    assert shared_places(side("train", train), side("test", test), ("inline",), gap=12)[1].leak


def test_another_survey_is_another_place() -> None:
    same = [(i, i) for i in range(10)]
    a = side("a", same, survey=["north"] * 10)
    b = side("b", same, survey=["north"] * 4 + ["south"] * 6)
    (block,) = shared_places(a, b, ("survey", "inline", "crossline"))
    assert (block.found, block.rows_b) == (4, 4)
    (none, gap) = shared_places(a, side("b", same, survey=["south"] * 10), ("survey", "inline", "crossline"), gap=5)
    assert not none.leak
    assert not gap.leak
    assert none.details["gap"] is None
    assert "no survey in common" in none.sentence


def test_missing_coordinates_are_nowhere() -> None:
    a = Side("a", SampleTable.of(pl.DataFrame({"inline": [1.0, None]})))
    b = Side("b", SampleTable.of(pl.DataFrame({"inline": [None, 1.0, float("nan")]})))
    (block,) = shared_places(a, b, ("inline",))
    assert (block.found, block.details["missing_a"], block.details["missing_b"]) == (1, 1, 2)
    nowhere = Side("b", SampleTable.of(pl.DataFrame({"inline": [None]}, schema={"inline": pl.Float64})))
    assert not shared_places(a, nowhere, ("inline",))[0].leak


def test_columns_without_numbers_are_a_usage_error() -> None:
    a = side("a", [(1,)], survey=["north"])
    with pytest.raises(UsageError, match="no column with numbers"):
        shared_places(a, a, ("survey",))
    with pytest.raises(UsageError, match="inlin"):
        shared_places(a, a, ("inlin",))
