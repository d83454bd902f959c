"""The plugin registry and the domain of the running command line, kept in the context of typer."""

from __future__ import annotations

import typer

from ssl_domains.cli.importing import announced
from ssl_domains.extending import Domain, PluginSettings, Registry, use_registry

__all__ = ["bind_domain", "domain_of", "registry_of"]

_REGISTRY = "ssl_domains.registry"
_DOMAIN = "ssl_domains.domain"


def registry_of(ctx: typer.Context) -> Registry:
    """The plugin registry of this command line; created once, from the global options."""
    if _REGISTRY not in ctx.meta:
        given = ctx.find_root().params
        ctx.meta[_REGISTRY] = Registry(
            PluginSettings.of(
                enabled=not given.get("no_plugins", False),
                block=given.get("block") or (),
                allow=given.get("allow") or (),
                files=given.get("plugin_file") or (),
            ),
            announced,
        )
        use_registry(ctx.meta[_REGISTRY])
    registry: Registry = ctx.meta[_REGISTRY]
    return registry


def bind_domain(ctx: typer.Context, domain: str | Domain) -> None:
    """Store the domain whose command runs; a name is looked up when `domain_of` is called."""
    ctx.meta[_DOMAIN] = domain


def domain_of(ctx: typer.Context) -> Domain:
    """The domain whose command runs.

    Raises:
        PluginError: When the plugin of the domain can't be used.
    """
    domain = ctx.meta[_DOMAIN]
    if isinstance(domain, str):
        domain = ctx.meta[_DOMAIN] = registry_of(ctx).domain(domain)
    bound: Domain = domain
    return bound
