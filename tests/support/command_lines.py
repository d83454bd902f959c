"""Whether a written command line names commands and options that are there."""

from __future__ import annotations

import shlex
from typing import Any

import typer

from ssl_domains.cli import domain_app
from ssl_domains.cli.app import app
from ssl_domains.extending import Registry

__all__ = ["check_line"]

OF_FILES = {"plates"}
"""Domains that a page brings by --plugin-file; another test runs them."""


def options_of(command: Any) -> dict[str, Any]:
    """Parameters of a command by the flags that set them."""
    return {name: p for p in command.params for name in [*p.opts, *p.secondary_opts] if name.startswith("-")}


def check_line(line: str, registry: Registry) -> None:
    """Check that a line such as ``"ssl-domains medical scan images"`` names commands and options that are there."""
    words = shlex.split(line)[1:]
    command: Any = typer.main.get_group(app)
    extra: dict[str, bool] = {}  # options of the domain; whether each is a flag
    while words:
        word = words.pop(0)
        known = options_of(command)
        if word.startswith("-"):
            assert word in known or word in extra, f"{line}: no option {word}"
            flag = extra[word] if word in extra else known[word].is_flag
            if not flag:
                words.pop(0)
        elif getattr(command, "commands", None):
            group = command
            domains = {name for info in registry.infos for name in info.hooks}
            if word in OF_FILES:
                command = typer.main.get_group(domain_app(word))
            elif word in domains and word not in group.commands:
                served = domain_app(word) if registry.serves(word) else registry.command(word)
                command = typer.main.get_group(served)
                domain = {d.name: d for p in registry.load_all() for d in p.domains}[word]
                extra = {option.flag: option.type is bool for option in (*domain.scan_options, *domain.map_options)}
            else:
                assert word in group.commands, f"{line}: no command {word}"
                command = group.commands[word]
