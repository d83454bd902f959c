"""Tables of answers: plain text, or a list where a terminal is too narrow for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from ssl_domains.cli.console import table

ROWS = [("dino", 12, "predicts a momentum copy of itself"), ("imax", None, "agrees with itself")]


def test_a_table_that_fits_is_a_table_and_a_wider_one_a_list() -> None:
    plain = table(("name", "year", "what"), ROWS)
    widest = max(len(line) for line in plain.splitlines())
    assert table(("name", "year", "what"), ROWS, width=widest) == plain
    assert table(("name", "year", "what"), ROWS, width=widest - 1) != plain
    assert table(("name", "year", "what"), ROWS, width=24) == "\n".join(
        (
            "dino",
            "  year: 12",
            "  what: predicts a",
            "    momentum copy of",
            "    itself",
            "imax",
            "  year: –",
            "  what: agrees with",
            "    itself",
        )
    )


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_methods_fit_a_narrow_terminal(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    whole = cli("methods", "list").out
    monkeypatch.setenv("COLUMNS", str(columns))
    assert cli("methods", "list").out == whole, "a file or another program gets the table, whatever the terminal"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    lines = cli("methods", "list").out.splitlines()
    shown = lines[: next(i for i, line in enumerate(lines) if line.startswith("Titles of the papers"))]
    assert max(map(len, shown)) <= columns
    start = shown.index("simclr")
    assert shown[start + 1] == "  from: ssl-domains"
    assert shown[start + 2].startswith("  what: two views against the")
