"""The registry of this process, for code that gets none as an argument, such as opening a run."""

from __future__ import annotations

from ssl_domains.extending.registry import Registry

__all__ = ["current_registry", "use_registry"]

_current: list[Registry] = []


def current_registry() -> Registry:
    """The registry in use; without `use_registry`, one that is created at the first call from the environment."""
    if not _current:
        _current.append(Registry())
    return _current[0]


def use_registry(registry: Registry) -> None:
    """Set the registry of this process, so that ``--block`` and ``--plugin-file`` apply everywhere."""
    _current[:] = [registry]
