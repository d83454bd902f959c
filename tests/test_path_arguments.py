"""Public functions that take a path take text and ``Path`` alike."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from ssl_domains.samples import SampleTable, read_table, write_problems, write_table

ROOMS = (
    "audit", "encoders", "engine", "evaluation", "extending", "inputs", "losses", "methods", "pairs", "probes",
    "reports", "samples", "stores", "studies", "testing", "views",
)  # fmt: skip
CALLED_BY_THE_CORE = {
    "Reader.scan",
    "ScanSession",
    "Conducted",
    "FoundTable",
    "MapAssembly.assemble",
    "MapFile.write",
    "Material",
    "PluginSettings",
    "PluginSettings.of",
    "TableFiles",
    "TextFile.write",
}
"""The core calls these, or they hold values, and a ``Path`` is promised."""


def public(room: str) -> Iterator[tuple[str, Any]]:
    """Functions, classes and public methods of a room, with their names."""
    module = importlib.import_module(f"ssl_domains.{room}")
    for name in module.__all__:
        value = getattr(module, name)
        yield name, value
        if inspect.isclass(value):
            for method, function in vars(value).items():
                if not method.startswith("_") and callable(getattr(function, "__func__", function)):
                    yield f"{name}.{method}", getattr(function, "__func__", function)


def only_path(function: Any) -> list[str]:
    """Names of the parameters that are a ``Path`` and can't be text."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    plain = re.compile(r"^Path( \| None)?$")
    return [one.name for one in parameters if plain.match(str(one.annotation).removeprefix("pathlib."))]


def test_the_check_sees_a_parameter_that_takes_no_text() -> None:
    def narrow(path: Path, other: str | Path, third: Path | None = None) -> None:
        pass

    assert only_path(narrow) == ["path", "third"]


def test_public_functions_take_text_for_a_path() -> None:
    found = [
        f"{room}.{name}({parameter})"
        for room in ROOMS
        for name, function in public(room)
        if name not in CALLED_BY_THE_CORE
        for parameter in only_path(function)
    ]
    assert found == []


def test_tables_are_read_and_written_by_text(tmp_path: Path) -> None:
    for name in ("t.parquet", "t.csv"):
        where = str(tmp_path / name)
        write_table(SampleTable.of({"sample": ["a", "b"], "path": ["x.png", "y.png"]}), where)
        assert read_table(where).frame["path"].to_list() == [str(tmp_path / "x.png"), str(tmp_path / "y.png")]
        written = write_problems(pl.DataFrame({"path": ["z"], "cause": ["damaged"]}), where)
        assert written == tmp_path / "t.problems.csv"
        assert written.is_file()
