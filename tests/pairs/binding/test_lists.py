"""Columns of lists as members: nulls, repeats, types."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.pairs import overlap
from ssl_domains.pairs.binding.lists import list_members
from ssl_domains.samples import SampleTable


def sets(column: Any) -> list[list[int] | None]:
    lists = list_members(SampleTable.of(pl.DataFrame({"t": column})), "t")
    starts, members, known = lists.starts, lists.members, lists.known
    assert starts.dtype == members.dtype == np.int64
    assert len(starts) == len(known) + 1
    rows = [members[a:b].tolist() for a, b in pairwise(starts)]
    assert all(known[k] or not row for k, row in enumerate(rows))
    return [row if known[k] else None for k, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ([["u", "v"], [], None, ["w", "u", "u"]], [[0, 1], [], None, [0, 2]]),
        ([["u", None], [None]], [[0], []]),
        ([[2.5, float("nan")], [float("nan")], [1.0]], [[1], [], [0]]),
        ([[3, 1], [1, 3, 3]], [[0, 1], [0, 1]]),
        ([[date(2020, 1, 1)], [date(2020, 1, 1), date(2019, 1, 1)]], [[1], [0, 1]]),
        (pl.Series([[1, 2], None], dtype=pl.Array(pl.Int64, 2)), [[0, 1], None]),
        ([None, None], [None, None]),
        ([[], []], [[], []]),
        (pl.Series([], dtype=pl.List(pl.String)), []),
    ],
)
def test_members(column: Any, expected: list[list[int] | None]) -> None:
    assert sets(column) == expected


@pytest.mark.parametrize(
    ("column", "message", "hint"),
    [
        (["u;v", "w"], "column 't' holds String, not lists", "split"),
        ([1, 2], "column 't' holds Int64, not lists", "same()"),
        ([[["u"]], []], "column 't' holds List(List(String))", "lists of text, numbers or dates"),
        ([[{"u": 1}]], "column 't' holds List(Struct", "lists of text, numbers or dates"),
    ],
)
def test_columns_without_lists_are_refused(column: Any, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        overlap("t").bind(pl.DataFrame({"t": column}))
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_emitted_numbers_and_missing_columns_are_no_lists() -> None:
    with pytest.raises(UsageError, match="'angle' is a number that views emit"):
        overlap("angle").bind({"t": [["u"]]}, emitted=("angle",))
    with pytest.raises(UsageError) as caught:
        overlap("tag").bind({"tags": [["u"]]})
    assert caught.value.hint == "did you mean 'tags'?"


def test_two_overlaps_read_one_column_once() -> None:
    bound = (overlap("t") + overlap("t", 2, weight="jaccard")).bind({"t": [["u"], ["u", "v"]]})
    first, second = (relation.rule.node for relation in bound.relations)
    assert first.lists is second.lists  # type: ignore[union-attr]
