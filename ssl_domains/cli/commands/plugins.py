"""``ssl-domains plugins list | check | new``: list plugins, check that they work, write the skeleton of one."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Annotated, Any

import typer

from ssl_domains.cli.commands.demo import invoke
from ssl_domains.cli.console import answering, note, table
from ssl_domains.cli.session import registry_of
from ssl_domains.cli.work.plugins import root_options, run_commands
from ssl_domains.errors import PluginError, UsageError, did_you_mean
from ssl_domains.extending import KNOWN_DOMAINS, Plugin, Registry
from ssl_domains.extending.discovery import how_to_install
from ssl_domains.extending.registry import CLASH_HINT

__all__ = ["LIMIT", "SECONDS", "above_zero", "app"]

SECONDS = 60.0
LIMIT = "Give up the import of a plugin after so long, and go on with the others."


def above_zero(limit: float) -> float:
    """Callback of the option ``--limit``: refuses what is no number of seconds above 0."""
    if not 0 < limit < math.inf:
        raise UsageError(f"--limit is {limit:g} seconds", "give a number above 0, such as --limit 60")
    return limit


app = typer.Typer(help="List and check installed plugins; write the skeleton of a new one.", no_args_is_help=True)


@app.command("list")
def list_plugins(
    ctx: typer.Context,
    limit: Annotated[float, typer.Option(metavar="SECONDS", callback=above_zero, help=LIMIT)] = SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """List plugins: active, blocked, broken, incompatible; each is imported in isolation."""
    registry = registry_of(ctx)
    registry.limit = limit
    with answering(as_json) as answer:
        plugins = [registry.check(info) for info in registry.infos]
        clashes = registry.clashes()
        answer.json({"plugins": [_document(plugin) for plugin in plugins], "clashes": clashes})
        rows = [
            (p.info.name, p.info.distribution, p.info.version or "–", p.status, p.reason or p.info.summary)
            for p in plugins
        ]
        answer.line(
            table(("name", "distribution", "version", "status", "about"), rows, width=answer.width())
            if rows
            else "no plugins"
        )
        for plugin in plugins:
            if plugin.cure:
                answer.line(f"\n{plugin.info.name}: {plugin.cure}")
    for clash in clashes:
        note(f"warning: {clash}")


@app.command("check")
def check(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the plugin or of its distribution.")],
    run: Annotated[
        bool, typer.Option("--run/--no-run", help="Run the commands of its domains on their demo data.")
    ] = True,
    limit: Annotated[float, typer.Option(metavar="SECONDS", callback=above_zero, help=LIMIT)] = SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Import one plugin, list what it adds and run its commands; exit code 3 when it can't be used."""
    registry = registry_of(ctx)
    registry.limit = limit
    matching = [info for info in registry.infos if name in info.names]
    if not matching:
        if name in KNOWN_DOMAINS:
            raise PluginError(f"the domain {name!r} is not installed", how_to_install(name))
        known = {known for info in registry.infos for known in info.names}
        raise UsageError(f"there is no plugin {name!r}", did_you_mean(name, known))
    with answering(as_json) as answer:
        plugins = [registry.check(info) for info in matching]
        answer.json([_document(plugin) for plugin in plugins])
        for plugin in plugins:
            answer.line(f"{plugin.info.label}: {plugin.status}")
            for kind, items in (
                ("domain", plugin.domains),
                ("pair sampler", plugin.pair_samplers),
                ("method", plugin.methods),
                ("encoder", plugin.encoders),
                ("rule", plugin.rules),
            ):
                for item in items:
                    answer.line(f"  {kind} {getattr(item, 'signature', item.name)}: {item.summary}")
            for command in _commands(plugin):
                answer.line(f"  command ssl-domains {command}")
            if plugin.status == "active" and not _adds(plugin):
                answer.line("  it adds nothing, as it has no hook that returns something")
        root: Any = ctx.find_root().command
        _require_usable(registry, plugins, set(root.commands))
        for plugin in plugins if run else ():
            for line in run_commands(plugin, root_options(registry.settings), invoke):
                answer.line(f"  {line}")


@app.command("new")
def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the domain: a lower-case word.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder to make; default: ssl-domains-NAME.")
    ] = None,
) -> None:
    """Write a plugin with a domain of its own: reader, pairs, views, demo data and tests, which pass as they are."""
    from ssl_domains.cli.work.skeleton import write_skeleton

    root: Any = ctx.find_root().command
    folder = write_skeleton(registry_of(ctx), name, out, commands=set(root.commands))
    with answering() as answer:
        answer.line(f"wrote {folder}")
        answer.line(f"next: pip install -e {shlex.quote(str(folder))} && ssl-domains plugins check {name}")


def _require_usable(registry: Registry, plugins: Sequence[Plugin], commands: Set[str]) -> None:
    for plugin in plugins:
        if plugin.status != "active":
            raise PluginError(plugin.reason, plugin.cure)
        for name in sorted(commands & {*_commands(plugin)}):
            cause = f"{name!r} is a command of the core, so those of {plugin.info.label} can't be called"
            raise PluginError(cause, "give the domain and its command another name")
        for method in plugin.methods:
            method.load()
        for rule in plugin.rules:
            rule.load()
    for clash in (c for c in registry.clashes() if any(plugin.info.distribution in c for plugin in plugins)):
        raise PluginError(clash, CLASH_HINT)


def _adds(plugin: Plugin) -> bool:
    """Whether a plugin brings anything."""
    brought = (plugin.domains, plugin.pair_samplers, plugin.methods, plugin.encoders, plugin.rules)
    return any(brought) or bool(plugin.info.commands)


def _commands(plugin: Plugin) -> list[str]:
    """Its own commands, or its domains, whose commands the core serves."""
    return sorted({*plugin.info.commands} or {domain.name for domain in plugin.domains})


def _document(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.info.name,
        "distribution": plugin.info.distribution,
        "version": plugin.info.version,
        "summary": plugin.info.summary,
        "status": plugin.status,
        "reason": plugin.reason,
        "cure": plugin.cure,
        "commands": _commands(plugin),
        "domains": [domain.name for domain in plugin.domains],
        "pair_samplers": [sampler.signature for sampler in plugin.pair_samplers],
        "methods": [method.name for method in plugin.methods],
        "encoders": [encoder.name for encoder in plugin.encoders],
        "rules": [rule.name for rule in plugin.rules],
    }
