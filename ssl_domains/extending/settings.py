"""Settings that say which plugins may be loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PluginSettings"]


@dataclass(frozen=True)
class PluginSettings:
    """Which plugins the user lets the program load.

    Attributes:
        enabled: False loads no installed plugin (``--no-plugins``); plugin files are still loaded.
        block: Names of plugins or distributions that aren't loaded.
        allow: When not empty, only these are loaded.
        files: Python files to load as plugins.
    """

    enabled: bool = True
    block: frozenset[str] = frozenset()
    allow: frozenset[str] = frozenset()
    files: tuple[Path, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        enabled: bool = True,
        block: Iterable[str] = (),
        allow: Iterable[str] = (),
        files: Iterable[str | Path] = (),
        environ: Mapping[str, str] | None = None,
    ) -> PluginSettings:
        """The given lists joined with ``SSL_DOMAINS_BLOCK`` and ``SSL_DOMAINS_ALLOW`` (names separated by commas)."""
        environ = os.environ if environ is None else environ
        blocked = {*block, *_names(environ.get("SSL_DOMAINS_BLOCK", ""))}
        allowed = {*allow, *_names(environ.get("SSL_DOMAINS_ALLOW", ""))}
        return cls(enabled, frozenset(blocked), frozenset(allowed), tuple(dict.fromkeys(map(Path, files))))

    def refuses(self, *names: str) -> str:
        """Why a plugin with these names isn't loaded; empty when it may be loaded."""
        if not self.enabled:
            return "plugins are switched off by --no-plugins"
        if self.block.intersection(names):
            return "on the block list (--block or SSL_DOMAINS_BLOCK)"
        if self.allow and not self.allow.intersection(names):
            return "not on the allow list (--allow or SSL_DOMAINS_ALLOW)"
        return ""


def _names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]
