"""Lazy command groups: names and summaries come from metadata; a plugin is imported only when its command runs."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from ssl_domains.cli.session import bind_domain, domain_of, registry_of
from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.extending import KNOWN_DOMAINS, Domain

__all__ = ["DomainGroup", "RootGroup"]


class RootGroup(TyperGroup):
    """The commands of the core, and one lazy command for each plugin."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands, those of plugins first; imports no installed plugin."""
        return [*self._plugged(ctx), *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command of the core, or a placeholder with the summary of a plugin, which is not imported."""
        core = super().get_command(ctx, cmd_name)
        summary = self._plugged(ctx).get(cmd_name) if core is None else None
        return core if summary is None else TyperCommand(cmd_name, help=summary, rich_help_panel="Domains")

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command to run. Only this method imports a plugin, and only the one of the command.

        Raises:
            PluginError: When the plugin is missing, blocked, broken or incompatible.
            UsageError: For an unknown name, with the nearest one.
        """
        name = args[0]
        registry = registry_of(ctx)
        if name != "plugins":  # that command lists a broken file among the others
            registry.require_files()
        if name in self.commands or name.startswith("-"):
            return super().resolve_command(ctx, args)
        if registry.serves(name):
            registry.domain(name)  # a plugin that can't be used is refused here, also for --help
            return name, _served(name), args[1:]
        if name in self._from_files(ctx) and name not in registry.commands():
            return name, _served(name), args[1:]  # also where an installed plugin of this name is blocked
        claimed = any(name in info.commands for info in registry.infos)
        if not claimed and name not in KNOWN_DOMAINS:
            known = {*self._plugged(ctx), *self.commands, *KNOWN_DOMAINS}
            raise UsageError(f"no such command {name!r}", did_you_mean(name, known))
        return name, _group(registry.command(name)), args[1:]

    def _plugged(self, ctx: Any) -> dict[str, str]:
        plugged = registry_of(ctx).commands() | self._from_files(ctx)
        return {name: summary for name, summary in plugged.items() if name not in self.commands}

    def _from_files(self, ctx: Any) -> dict[str, str]:
        # Plugin files have no metadata and must be imported; the user named them explicitly.
        registry = registry_of(ctx)
        registry.require_files()
        return {
            domain.name: domain.summary
            for info in registry.infos
            if info.is_file
            for domain in registry.load(info).domains
        }


class DomainGroup(TyperGroup):
    """The commands of one domain; ``scan`` and ``predict`` get the domain's options when they are resolved."""

    domain: str | Domain = ""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command to run, bound to the domain."""
        bind_domain(ctx, self.domain)
        name, command, rest = super().resolve_command(ctx, args)
        if name in ("scan", "predict") and _is_ours(command):
            from ssl_domains.cli.commands import predict, scan

            made = (scan if name == "scan" else predict).command_for(domain_of(ctx))
            app = typer.Typer(add_completion=False)
            app.command(name)(made)
            command = typer.main.get_command(app)
        return name, command, rest


def _is_ours(command: Any) -> bool:
    # A plugin may replace a command by another command, which is then left unchanged.
    return getattr(command.callback, "__module__", "").startswith("ssl_domains.cli")


def _served(name: str) -> Any:
    """The commands that the core serves for a domain whose plugin brings none."""
    from ssl_domains.cli.domain_commands import domain_app

    return _group(domain_app(name))


def _group(app: typer.Typer) -> Any:
    # get_group, not get_command: an app with a single command must stay a group under the name of its plugin.
    return typer.main.get_group(app)
