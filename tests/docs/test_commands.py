"""Every ``ssl-domains`` line of the documentation names commands and options that are there."""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from ssl_domains.cli import domain_app
from ssl_domains.cli.app import app
from ssl_domains.extending import Registry

Blocks = Callable[[str, str], list[str]]

OF_FILES = {"plates"}
"""Domains that a page brings by --plugin-file; another test runs them."""


def lines(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        line = line.removeprefix("$ ").split("  #")[0].strip()
        if line.startswith("ssl-domains "):
            yield line


def options_of(command: Any) -> dict[str, Any]:
    return {name: p for p in command.params for name in [*p.opts, *p.secondary_opts] if name.startswith("-")}


def check(line: str, registry: Registry) -> None:
    words = shlex.split(line)[1:]
    command: Any = typer.main.get_group(app)
    extra: set[str] = set()
    while words:
        word = words.pop(0)
        known = options_of(command)
        if word.startswith("-"):
            assert word in known or word in extra, f"{line}: no option {word}"
            flag = word not in extra and known[word].is_flag
            if not flag:
                words.pop(0)
        elif getattr(command, "commands", None):
            group = command
            domains = {info.name for info in registry.infos}
            if word in OF_FILES:
                command = typer.main.get_group(domain_app(word))
            elif word in domains and word not in group.commands:
                served = domain_app(word) if registry.serves(word) else registry.command(word)
                command = typer.main.get_group(served)
                domain = {d.name: d for p in registry.load_all() for d in p.domains}[word]
                extra = {option.flag for option in (*domain.scan_options, *domain.map_options)}
            else:
                assert word in group.commands, f"{line}: no command {word}"
                command = group.commands[word]


def test_commands_of_the_pages_exist(blocks: Blocks, pages: list[str], ecg: Path) -> None:
    registry = Registry()
    found = [line for page in pages for language in ("console", "bash", "sh") for text in blocks(page, language)
             for line in lines(text)]  # fmt: skip
    assert len(found) > 20
    for line in found:
        if "DOMAIN" not in line:
            check(line, registry)


def test_every_page_is_in_the_navigation() -> None:
    root = Path(__file__).resolve().parents[2]
    navigation = (root / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (root / "docs").rglob("*.md"):
        name = str(page.relative_to(root / "docs"))
        assert name in navigation, f"{name} is not in mkdocs.yml"
