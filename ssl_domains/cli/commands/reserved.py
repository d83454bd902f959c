"""Reserved command names: the commands do not exist, and their error says what to do instead."""

from __future__ import annotations

from ssl_domains.errors import UsageError

__all__ = ["ANYTHING", "new_plugin"]

ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def new_plugin() -> None:
    """Refuse to make the skeleton of a plugin.

    Raises:
        UsageError: Always.
    """
    raise UsageError("'plugins new' is not available", "start from a copy of plugins/fisheye")
