"""Conditions on rows."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import IdentifierKey, SampleTable, TableMeta, matching_rows

KEY = IdentifierKey(b"key")
FRAME = pl.DataFrame(
    {
        "age": [40, 50, 60, None],
        "dose": [0.5, float("nan"), 2.0, 1.0],
        "kind": ["a", "b", "a|c", None],
        "seen": [date(2024, 1, 1), date(2024, 6, 1), None, date(2025, 1, 1)],
        "sure": [True, False, None, True],
        "patient": [KEY.digest(name) for name in "wxyz"],
        "x=y": ["1", "2", "3", "4"],
    }
)
TABLE = SampleTable.of(FRAME, TableMeta("toy", ("patient",), key=KEY.fingerprint))


@pytest.mark.parametrize(
    ("conditions", "rows"),
    [
        ([], [0, 1, 2, 3]),
        (["age>=50"], [1, 2]),
        (["age<50"], [0]),
        (["age=40|60"], [0, 2]),
        (["age != 40"], [1, 2, 3]),
        (["age="], [3]),
        (["age!="], [0, 1, 2]),
        (["dose="], [1]),
        (["dose>0.5"], [2, 3]),
        (["kind=a"], [0]),
        (["kind!=a"], [1, 2, 3]),
        (["seen>2024-03-01"], [1, 3]),
        (["sure=true"], [0, 3]),
        (["sure=no"], [1]),
        (["patient=x"], [1]),
        ([f"patient={KEY.digest('y')}"], [2]),
        (["x=y=3"], [2]),
        (["age>=50", "kind=b"], [1]),
    ],
)
def test_rows(conditions: list[str], rows: list[int]) -> None:
    assert matching_rows(TABLE, conditions, KEY).nonzero()[0].tolist() == rows


@pytest.mark.parametrize(
    "condition", ["age", "agee>3", "age>old", "kind>a", "seen=yesterday", "sure=perhaps", "age>", "=3", ""]
)
def test_what_is_no_condition_is_refused_with_an_example(condition: str) -> None:
    with pytest.raises(UsageError) as caught:
        matching_rows(TABLE, [condition], KEY)
    assert caught.value.hint
