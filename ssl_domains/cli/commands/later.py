"""Commands that have their name already and come with a later release: they say so instead of half working."""

from __future__ import annotations

from ssl_domains.errors import UsageError

__all__ = ["ANYTHING", "new_plugin"]

ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def new_plugin() -> None:
    """Skeleton of a plugin; comes with the next release."""
    raise UsageError("'plugins new' comes with the next release", "start from a copy of plugins/fisheye")
