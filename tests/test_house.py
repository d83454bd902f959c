"""The house: imports go one way, rooms stay small, and every room says what it is for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import ssl_domains

CORE = Path(ssl_domains.__file__).parent
CATALOGUES = {"methods", "losses", "cli/commands", "views/steps"}
"""Folders of like entries, one file each: they may grow."""
MOST_FILES = 15


def modules() -> dict[str, Path]:
    """Every module of the core by its dotted name."""
    found = {}
    for path in CORE.rglob("*.py"):
        parts = path.relative_to(CORE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_at_once(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports that run when the module is imported: not those in functions, nor for type checkers alone."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            waiting += [*node.body, *node.orelse]
        elif isinstance(node, ast.Try | ast.With):
            waiting += node.body


def arrows(tree: ast.Module, known: dict[str, Path]) -> set[str]:
    """Modules of the core that a module imports when it is imported."""
    found = set()
    for node in imported_at_once(tree):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in known else str(node.module) for name in names}
        else:
            found |= {alias.name for alias in node.names}
    return found & known.keys()


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Cycles of a graph: what is left when nodes without arrows are taken away again and again."""
    left = {node: set(targets) - {node} for node, targets in graph.items()}
    while True:
        ends = {node for node, targets in left.items() if not targets & left.keys()}
        if not ends:
            break
        left = {node: targets for node, targets in left.items() if node not in ends}
    starts = {target for targets in left.values() for target in targets & left.keys()}
    return [sorted(node for node in left if node in starts)] if left else []


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c"]]


def test_no_modules_import_each_other() -> None:
    known = modules()
    graph = {name: arrows(ast.parse(path.read_text(encoding="utf-8")), known) for name, path in known.items()}
    assert len(graph) > 200
    assert circles(graph) == []


def test_rooms_stay_small() -> None:
    large = {}
    for folder in {path.parent for path in CORE.rglob("*.py")}:
        name = folder.relative_to(CORE).as_posix()
        count = sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        if count > MOST_FILES and name not in CATALOGUES:
            large[name] = count
    assert large == {}


def test_every_room_says_what_it_is_for() -> None:
    for path in CORE.rglob("__init__.py"):
        words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert words, f"{path.parent.relative_to(CORE)} has no docstring"
