"""What a command may ask of the command line it was started from: the plugins and the domain."""

from __future__ import annotations

import typer

from ssl_domains.extending import Domain, PluginSettings, Registry, use_registry

__all__ = ["bind_domain", "domain_of", "registry_of"]

_REGISTRY = "ssl_domains.registry"
_DOMAIN = "ssl_domains.domain"


def registry_of(ctx: typer.Context) -> Registry:
    """The one registry of this command line, made from the global options before anything is imported."""
    if _REGISTRY not in ctx.meta:
        given = ctx.find_root().params
        ctx.meta[_REGISTRY] = Registry(
            PluginSettings.of(
                enabled=not given.get("no_plugins", False),
                block=given.get("block") or (),
                allow=given.get("allow") or (),
                files=given.get("plugin_file") or (),
            )
        )
        use_registry(ctx.meta[_REGISTRY])
    registry: Registry = ctx.meta[_REGISTRY]
    return registry


def bind_domain(ctx: typer.Context, domain: str | Domain) -> None:
    """Remember which domain's command runs; a name is looked up when it is first needed."""
    ctx.meta[_DOMAIN] = domain


def domain_of(ctx: typer.Context) -> Domain:
    """The domain whose command runs.

    Raises:
        PluginError: When its plugin can't be used.
    """
    domain = ctx.meta[_DOMAIN]
    if isinstance(domain, str):
        domain = ctx.meta[_DOMAIN] = registry_of(ctx).domain(domain)
    found: Domain = domain
    return found
