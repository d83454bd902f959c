"""Composition: what it takes, and what it costs to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ssl_domains.errors import UsageError
from ssl_domains.pairs import Composition


def test_the_default_lets_the_data_decide() -> None:
    assert Composition() == Composition("auto", per_group=2, compose_by=0, exponent=1.0)


def test_the_reason_is_no_part_of_equality() -> None:
    assert Composition("groups", reason="only 3 % met") == Composition("groups")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"kind": "grups"}, "no composition 'grups'"),
        ({"kind": "partner"}, "later release"),
        ({"per_group": 1}, "per_group is 1"),
        ({"compose_by": -1}, "compose_by is -1"),
        ({"exponent": 1.5}, "exponent is 1.5"),
        ({"exponent": float("nan")}, "exponent is nan"),
    ],
)
def test_values_outside_are_refused_with_a_hint(bad: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        Composition(**bad)  # type: ignore[arg-type]
    assert caught.value.hint


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys; import ssl_domains.pairs.composition; "
        "print(sorted({'torch', 'numpy', 'polars'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
