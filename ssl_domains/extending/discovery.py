"""What is installed, read from package metadata. Nothing of a plugin is imported here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["API_VERSION", "KNOWN_DOMAINS", "PluginInfo", "discover", "file_plugin"]

API_VERSION = "1"
KNOWN_DOMAINS = ("fisheye", "medical", "seismic", "text", "audio")
"""The project's own domains: a missing one is answered with how to install it."""


@dataclass(frozen=True)
class PluginInfo:
    """A plugin, which is one distribution, as its metadata tells it.

    Attributes:
        distribution: What ``pip`` calls it.
        version: Of the distribution.
        summary: One line, from the distribution's metadata.
        hooks: Name → ``module`` with the hook functions, or the path of a plugin file (group ``ssl_domains``).
        commands: Command → ``module:app``, the typer apps it mounts (group ``ssl_domains.cli``).
        api: API versions it declares (names in the group ``ssl_domains.api``).
        is_file: Given by ``--plugin-file``.
    """

    distribution: str
    version: str = ""
    summary: str = ""
    hooks: dict[str, str] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    api: set[str] = field(default_factory=set)
    is_file: bool = False

    @property
    def name(self) -> str:
        """What lists call it: its first entry point, by custom the domain's name."""
        return next(iter([*self.hooks, *self.commands]), self.distribution)

    @property
    def names(self) -> frozenset[str]:
        """Every name that blocks or allows it."""
        return frozenset({self.distribution, *self.hooks, *self.commands})

    @property
    def label(self) -> str:
        """Distribution and version, for messages."""
        return f"{self.distribution} {self.version}".strip()


def discover() -> tuple[PluginInfo, ...]:
    """Every installed distribution with an entry point of ours, by name."""
    # Imported late: listing the core's own commands does not need it.
    from importlib.metadata import entry_points

    found: dict[str, PluginInfo] = {}
    for group, part in (("ssl_domains", "hooks"), ("ssl_domains.cli", "commands"), ("ssl_domains.api", "api")):
        for entry in entry_points(group=group):
            dist = entry.dist
            distribution = (dist.metadata["Name"] if dist else None) or entry.module
            if distribution not in found:
                found[distribution] = PluginInfo(
                    distribution,
                    (dist.version if dist else None) or "",
                    (dist.metadata["Summary"] if dist else None) or "",
                )
            info = found[distribution]
            if part == "api":
                info.api.add(entry.name)
            else:
                getattr(info, part)[entry.name] = entry.value
    return tuple(sorted(found.values(), key=lambda info: (info.name, info.distribution)))


def file_plugin(path: Path) -> PluginInfo:
    """The plugin that a single Python file is. It runs with this very version, so it needs to declare none."""
    return PluginInfo(str(path), "", "plugin file", hooks={path.stem: str(path)}, api={API_VERSION}, is_file=True)
