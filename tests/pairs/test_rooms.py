"""The rooms of ``pairs/``: no circle of module-level imports; leaves are named in their own files only."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import ssl_domains.pairs

ROOT = Path(ssl_domains.pairs.__file__).parent


def modules() -> dict[str, Path]:
    names = {}
    for path in ROOT.rglob("*.py"):
        parts = ("ssl_domains", "pairs", *path.relative_to(ROOT).with_suffix("").parts)
        names[".".join(parts).removesuffix(".__init__")] = path
    return names


def imported(path: Path) -> set[str]:
    """What a module imports when it is imported itself: not within functions, not for types only."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def test_there_is_no_circle_of_imports() -> None:
    known = modules()
    waiting = {name: imported(path) & set(known) - {"ssl_domains.pairs", name} for name, path in known.items()}
    assert sum(map(len, waiting.values())) > 50
    while free := [name for name, needed in waiting.items() if not needed]:
        for name in free:
            del waiting[name]
        waiting = {name: needed - set(free) for name, needed in waiting.items()}
    assert waiting == {}


def test_only_a_leafs_own_files_name_its_class() -> None:
    """A new leaf needs no other file; ``Same`` is also used as a tool where labels are compared by their codes."""
    tools = {"labels.py", "bound_objective.py", "inspection/advice.py"}
    for leaf in ("Same", "Within", "Overlap", "Linked"):
        own = {f"rules/{leaf.lower()}.py", f"leaves/{leaf.lower()}.py"}
        if leaf == "Linked":
            own.add("binding/edges.py")  # reads the files that a `Linked` names
        for path in modules().values():
            code = "\n".join(line.split("#")[0] for line in path.read_text().splitlines())
            name = path.relative_to(ROOT).as_posix()
            if name in own or (leaf == "Same" and name in tools):
                continue
            names = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
            assert leaf not in names, f"{name} names {leaf}"
            assert not re.search(rf"import .*\b{leaf}\b", code), f"{name} imports {leaf}"
