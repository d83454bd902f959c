"""The registry of this process, for code that is not handed one, such as a run that is opened again."""

from __future__ import annotations

from ssl_domains.extending.registry import Registry

__all__ = ["current_registry", "use_registry"]

_current: list[Registry] = []


def current_registry() -> Registry:
    """The registry in use; without one, that of the environment's lists, made at the first call."""
    if not _current:
        _current.append(Registry())
    return _current[0]


def use_registry(registry: Registry) -> None:
    """Make a registry the one in use: ``--block`` and ``--plugin-file`` of a command line then hold everywhere."""
    _current[:] = [registry]
