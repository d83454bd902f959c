"""Commands, options and settings that a message of the product names are there."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from ssl_domains.cli import domain_app
from ssl_domains.cli.app import app
from ssl_domains.engine.record.config import RunConfig
from ssl_domains.extending import Registry

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "ssl_domains", *sorted((ROOT / "plugins").glob("*/src"))]
OF_OTHER_PROGRAMS = {"--error-unmatch", "--force-reinstall", "--porcelain", "--untracked-files"}
FILES = ("json", "yaml", "yml", "html", "csv", "parquet", "toml")
SECTIONS = "|".join(RunConfig.model_fields)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Strings of a module with their lines, without docstrings; values in f-strings are written as ``X``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed_over = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            passed_over.add(id(body[0].value))
        if isinstance(node, ast.Expr):
            passed_over.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            passed_over |= {id(part) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in passed_over:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


MESSAGES = [
    (f"{path.relative_to(ROOT).as_posix()}:{line}", text)
    for source in SOURCES
    for path in sorted(source.rglob("*.py"))
    for line, text in texts(path)
]


def group_of(name: str, registry: Registry) -> Any:
    return typer.main.get_group(domain_app(name) if registry.serves(name) else registry.command(name))


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    """Every command by its words, such as ``"splits audit"`` or ``"DOMAIN scan"``."""
    registry, core = Registry(), typer.main.get_group(app)
    found: dict[str, Any] = {"": core}

    def add(prefix: str, group: Any) -> None:
        for name, command in group.commands.items():
            found[f"{prefix}{name}"] = command
            if getattr(command, "commands", None):
                add(f"{prefix}{name} ", command)

    add("", core)
    for name in [domain.name for plugin in registry.load_all() for domain in plugin.domains]:
        add("DOMAIN ", group_of(name, registry))
        add(f"{name} ", group_of(name, registry))
    return found


@pytest.fixture(scope="module")
def options(commands: dict[str, Any]) -> set[str]:
    """Every option of every command, and those that domains add to ``scan``."""
    found = {name for command in commands.values() for p in command.params for name in [*p.opts, *p.secondary_opts]}
    domains = [domain for plugin in Registry().load_all() for domain in plugin.domains]
    flags = [option.flag for domain in domains for option in domain.scan_options]
    return found | set(flags) | {f"--no-{flag[2:]}" for flag in flags} | {"--help"}


def test_options_that_messages_name_exist(options: set[str]) -> None:
    unknown = {}
    for where, text in MESSAGES:
        if "<" in text:  # a variable of a style sheet
            continue
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z](?![a-z-])", text))
        if named - options - OF_OTHER_PROGRAMS:
            unknown[where] = sorted(named - options - OF_OTHER_PROGRAMS)
    assert unknown == {}


def test_settings_that_messages_name_exist() -> None:
    methods = [one.load_options() for _, one in Registry().methods()]
    known = {*RunConfig().flat(), *(f"method.{name}" for options in methods for name in options.model_fields)}
    settings = [
        one.input_settings() for plugin in Registry().load_all() for one in plugin.domains if one.input_settings
    ]
    known |= {f"input.{name}" for model in settings for name in model.model_fields}
    unknown = {}
    for where, text in MESSAGES:
        if " " not in text:
            continue
        named = set(re.findall(rf"(?<![\w./])(?:{SECTIONS})\.[a-z_]+(?![\w(/])", text))
        named |= set(re.findall(r"--set (\w+\.\w+)=", text))
        named = {name for name in named if not name.endswith(FILES) and name != "encoder.model"}
        if named - known:
            unknown[where] = sorted(named - known)
    assert unknown == {}


def test_commands_that_messages_name_exist(commands: dict[str, Any]) -> None:
    unknown = {}
    for where, text in MESSAGES:
        for line in re.findall(r"ssl-domains ((?:[^\s;`'\",:()]+ ?)+)", text):
            words = [word for word in shlex.split(line) if word != "…"]
            if not words or words[0].startswith("--") or words[0].startswith(("…", "/")):
                continue  # the command line that was typed, or a page
            words[0] = "DOMAIN" if words[0] == "X" else words[0]
            names = [" ".join(words[:count]) for count in (1, 2)]
            if words[1:2] == ["--help"]:
                names.append(f"{words[0]} scan")
            alone = len(words) == 1 and any(command.startswith(f"{words[0]} ") for command in commands)
            if not alone and not any(name in commands for name in names) and "X" not in words[:2]:
                unknown[where] = line
    assert unknown == {}
