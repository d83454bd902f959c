"""Find installed plugins by package metadata, without importing them."""

from __future__ import annotations

import contextlib
import shlex
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["API_VERSION", "KNOWN_DOMAINS", "PluginInfo", "discover", "file_plugin", "how_to_install"]

API_VERSION = "1"
KNOWN_DOMAINS = ("fisheye", "medical", "seismic", "lines", "text", "audio")
"""Domains of this project; when one is missing, the error says how to install it."""


@dataclass(frozen=True)
class PluginInfo:
    """The metadata of a plugin. A plugin is one distribution, or a single Python file.

    Attributes:
        distribution: Name of the distribution, as ``pip`` shows it.
        version: Version of the distribution.
        summary: One line, from the distribution's metadata.
        hooks: Name → ``module`` with the hook functions, or the path of a plugin file (group ``ssl_domains``).
        commands: Command → ``module:app``, the typer apps it mounts (group ``ssl_domains.cli``).
        api: API versions it declares (names in the group ``ssl_domains.api``).
        is_file: Whether it is a file given by ``--plugin-file``.
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
        """Name in lists: its first entry point, usually the name of its domain."""
        return next(iter([*self.hooks, *self.commands]), self.distribution)

    @property
    def names(self) -> frozenset[str]:
        """All names by which it can be blocked or allowed."""
        return frozenset({self.distribution, *self.hooks, *self.commands})

    @property
    def domain_names(self) -> tuple[str, ...]:
        """Names of the domains that it may bring, and whose commands the core serves when it has none of its own.

        They are the names of its entry points in the group ``ssl_domains``. A plugin with an entry point in
        ``ssl_domains.cli`` brings its commands itself; the domains of a plugin file are known only from its import.
        """
        return () if self.commands or self.is_file else tuple(self.hooks)

    @property
    def label(self) -> str:
        """Distribution and version, for error messages."""
        return f"{self.distribution} {self.version}".strip()


def discover() -> tuple[PluginInfo, ...]:
    """All installed distributions with an entry point of ssl-domains, sorted by name."""
    # Imported here, because listing the commands of the core does not need it.
    from importlib.metadata import entry_points

    infos: dict[str, PluginInfo] = {}
    for group, part in (("ssl_domains", "hooks"), ("ssl_domains.cli", "commands"), ("ssl_domains.api", "api")):
        for entry in entry_points(group=group):
            dist = entry.dist
            distribution = (dist.metadata["Name"] if dist else None) or entry.module
            if distribution not in infos:
                infos[distribution] = PluginInfo(
                    distribution,
                    (dist.version if dist else None) or "",
                    (dist.metadata["Summary"] if dist else None) or "",
                )
            info = infos[distribution]
            if part == "api":
                info.api.add(entry.name)
            else:
                getattr(info, part)[entry.name] = entry.value
    return tuple(sorted(infos.values(), key=lambda info: (info.name, info.distribution)))


def file_plugin(path: Path) -> PluginInfo:
    """The metadata of a plugin that is a single Python file. It needs no API version, as it is not installed."""
    return PluginInfo(str(path), "", "plugin file", hooks={path.stem: str(path)}, api={API_VERSION}, is_file=True)


def how_to_install(domain: str) -> str:
    """A hint on a domain of this project that is not installed: the command, if a plugin's folder has that domain."""
    folder = _plugin_folder(domain)
    if folder is None:
        return "its plugin is not among the installed packages; `ssl-domains plugins list` shows those that are"
    here = Path.cwd()
    return f"pip install -e {shlex.quote(str(folder.relative_to(here) if folder.is_relative_to(here) else folder))}"


def _plugin_folder(domain: str) -> Path | None:
    """The folder of the plugin that has an entry point for a domain, as its ``pyproject.toml`` says."""
    for path in sorted((Path(__file__).resolve().parents[2] / "plugins").glob("*/pyproject.toml")):
        with contextlib.suppress(OSError, ValueError):  # another plugin's damaged file is not the question
            project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
            if domain in project.get("entry-points", {}).get("ssl_domains", {}):
                return path.parent
    return None
