"""``ssl-domains plugins list | check``: list the installed plugins and check that they work."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from ssl_domains.cli.commands import reserved
from ssl_domains.cli.console import answering, note, table
from ssl_domains.cli.session import registry_of
from ssl_domains.errors import PluginError, UsageError, did_you_mean
from ssl_domains.extending import KNOWN_DOMAINS, Plugin

__all__ = ["app"]

app = typer.Typer(help="List and check installed plugins.", no_args_is_help=True)
app.command("new", hidden=True, context_settings=reserved.ANYTHING)(reserved.new_plugin)


@app.command("list")
def list_plugins(
    ctx: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False
) -> None:
    """List plugins: active, blocked, broken, incompatible; each is imported in isolation."""
    registry = registry_of(ctx)
    with answering(as_json) as answer:
        plugins = [registry.check(info) for info in registry.infos]
        clashes = registry.clashes()
        answer.json({"plugins": [_document(plugin) for plugin in plugins], "clashes": clashes})
        rows = [
            (p.info.name, p.info.distribution, p.info.version or "–", p.status, p.reason or p.info.summary)
            for p in plugins
        ]
        answer.line(table(("name", "distribution", "version", "status", "about"), rows) if rows else "no plugins")
        for plugin in plugins:
            if plugin.cure:
                answer.line(f"\n{plugin.info.name}: {plugin.cure}")
    for clash in clashes:
        note(f"warning: {clash}")


@app.command("check")
def check(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the plugin or of its distribution.")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Import one plugin with its commands and list what it adds; exit code 3 when it can't be used."""
    registry = registry_of(ctx)
    matching = [info for info in registry.infos if name in info.names]
    if not matching:
        if name in KNOWN_DOMAINS:
            raise PluginError(f"the domain {name!r} is not installed", f"pip install -e plugins/{name}")
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
            for command in plugin.info.commands:
                answer.line(f"  command ssl-domains {command}")
    for plugin in plugins:
        if plugin.status != "active":
            raise PluginError(plugin.reason, plugin.cure)
        for method in plugin.methods:
            method.load()
        for rule in plugin.rules:
            rule.load()
    for clash in (c for c in registry.clashes() if any(plugin.info.distribution in c for plugin in plugins)):
        raise PluginError(clash, f"uninstall one, or block one by its distribution's name ({sys.argv[0]} --block NAME)")


def _document(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.info.name,
        "distribution": plugin.info.distribution,
        "version": plugin.info.version,
        "summary": plugin.info.summary,
        "status": plugin.status,
        "reason": plugin.reason,
        "cure": plugin.cure,
        "commands": sorted(plugin.info.commands),
        "domains": [domain.name for domain in plugin.domains],
        "pair_samplers": [sampler.signature for sampler in plugin.pair_samplers],
        "methods": [method.name for method in plugin.methods],
        "encoders": [encoder.name for encoder in plugin.encoders],
        "rules": [rule.name for rule in plugin.rules],
    }
