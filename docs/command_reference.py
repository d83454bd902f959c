"""mkdocs hook: the command and configuration references come from the program, so they can't go stale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from ssl_domains.cli import domain_app
from ssl_domains.cli.app import app
from ssl_domains.engine.record.config import RunConfig
from ssl_domains.extending import Registry
from ssl_domains.extending.methods import BUILT_IN
from ssl_domains.studies import ArmEntry, StudyFile
from ssl_domains.studies.design.entries import (
    BreakdownEntry,
    ContrastEntry,
    DenseEntry,
    FineTuneEntry,
    RankingEntry,
    TranscriptsEntry,
    UnsureEntry,
)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill the placeholders of the reference pages."""
    if "<!-- commands -->" in markdown:
        markdown = markdown.replace("<!-- commands -->", "\n".join(_commands()))
    if "<!-- configuration -->" in markdown:
        markdown = markdown.replace("<!-- configuration -->", "\n".join(_configuration()))
    if "<!-- study file -->" in markdown:
        markdown = markdown.replace("<!-- study file -->", "\n".join(_study_file()))
    return markdown


def _commands() -> Iterator[str]:
    yield from ("## Every domain", "", "`DOMAIN` is `fisheye`, `medical` or any other installed plugin.", "")
    domain = typer.main.get_group(domain_app("DOMAIN"))
    for command in _visible(domain):
        yield from _command(command, "ssl-domains DOMAIN")
    shared = {command.name for command in _visible(domain)}
    registry = Registry()
    for info in registry.infos:
        for brought in registry.load(info).domains:
            yield from _domain(registry, brought, shared)
    yield from ("## The rest", "")
    root = typer.main.get_group(app)
    yield from _options(root)
    for command in _visible(root):
        if children := _visible(command):
            for child in children:
                yield from _command(child, f"ssl-domains {command.name}")
        else:
            yield from _command(command, "ssl-domains")


def _domain(registry: Registry, domain: Any, shared: set[str]) -> Iterator[str]:
    yield from (f"## {domain.name}", "", domain.summary, "")
    yield from ("| pair sampler | positives |", "|---|---|")
    for _, sampler in registry.pair_samplers(domain.name):
        yield f"| `{sampler.signature}` | {_cell(sampler.summary)} |"
    yield ""
    if domain.scan_options:
        yield from (f"Options of `ssl-domains {domain.name} scan`:", "", "| option | does |", "|---|---|")
        yield from (f"| `{option.flag}` | {_cell(option.help)} |" for option in domain.scan_options)
        yield ""
    for command in _visible(typer.main.get_group(registry.command(domain.name))):
        if command.name not in shared:
            yield from _command(command, f"ssl-domains {domain.name}")


def _visible(group: Any) -> list[Any]:
    return [command for command in getattr(group, "commands", {}).values() if not command.hidden]


def _command(command: Any, before: str) -> Iterator[str]:
    # Arguments with nargs < 0 only collect the options that a domain adds.
    arguments = [p for p in command.params if p.param_type_name == "argument" and p.nargs == 1]
    names = [argument.metavar or argument.name.upper() for argument in arguments]
    yield from (f"### {before} {command.name}", "")
    yield from (" ".join((command.help or "").split()), "")
    yield from ("```console", " ".join([before, command.name, *names, "[OPTIONS]"]), "```", "")
    yield from _options(command)


def _options(command: Any) -> Iterator[str]:
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help" and not p.hidden]
    if options:
        yield from ("| option | default | does |", "|---|---|---|")
        for option in options:
            names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
            shown = isinstance(option.default, str | int | float) and not isinstance(option.default, bool)
            default = f"`{option.default}`" if shown else ""
            yield f"| {names} | {default} | {_cell(option.help)} |"
        yield ""


def _configuration() -> Iterator[str]:
    for section, field in RunConfig.model_fields.items():
        yield from _keys(f"## `[{section}]`", field.annotation)
        if section == "method":
            for entry in BUILT_IN:
                yield from _keys(f"### Options of `{entry.name}`", entry.load().options)


def _study_file() -> Iterator[str]:
    yield from _keys("## The study", StudyFile)
    yield from _keys("## `[arms.NAME]`", ArmEntry)
    yield from _keys("## `[primary]`, `[[secondary]]`", ContrastEntry)
    yield from _keys("## `[dense]`", DenseEntry)
    yield from _keys("## `[transcripts]`", TranscriptsEntry)
    yield from _keys("## `[ranking]`", RankingEntry)
    yield from _keys("## `[finetune]`", FineTuneEntry)
    yield from _keys("## `unsure`", UnsureEntry)
    yield from _keys("## `breakdown`", BreakdownEntry)


def _keys(heading: str, model: Any) -> Iterator[str]:
    yield from (heading, "", "| key | default | meaning |", "|---|---|---|")
    for key, entry in model.model_fields.items():
        value = None if entry.is_required() else entry.get_default(call_default_factory=True)
        default = "required" if entry.is_required() else "" if value is None else f"`{value!r}`"
        yield f"| `{key}` | {default} | {_cell(entry.description)} |"
    yield ""


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")
