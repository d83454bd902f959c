"""Which rows a study takes: `only` and `drop_missing` of STUDY.toml."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ssl_domains.cli.work.study import _filtered
from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable

TABLE = SampleTable.of(
    {
        "sample": ["a", "b", "c", "d"],
        "site": ["x", "y", "x", None],
        "age": [1, 2, 3, None],
        "fed": [True, False, None, True],
    }
)


def rows(only: dict[str, list[Any]], *drop: str) -> list[str]:
    return _filtered(TABLE, SimpleNamespace(only=only, drop_missing=drop)).frame["sample"].to_list()  # type: ignore[arg-type]


def test_rows_with_the_named_values_are_taken() -> None:
    assert rows({}) == ["a", "b", "c", "d"]
    assert rows({"site": ["x"]}) == ["a", "c"]
    assert rows({"site": ["x", "y"], "age": [2, 3]}) == ["b", "c"]
    assert rows({"fed": [True]}, "age") == ["a"]
    with pytest.raises(DataError, match="no row is left"):
        rows({"site": ["z"]})


@pytest.mark.parametrize(
    ("column", "values"),
    [("age", [2**40, "b"]), ("site", ["x", 1]), ("site", [1]), ("age", ["one"]), ("age", [2**80]), ("fed", ["yes"])],
)
def test_values_of_another_type_are_refused(column: str, values: list[Any]) -> None:
    with pytest.raises(UsageError, match=f"values of '{column}' that are no"):
        rows({column: values})
