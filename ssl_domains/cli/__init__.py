"""The command line ``ssl-domains``. Its modules import heavy packages only inside functions, so that it starts fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["domain_app", "main"]

if TYPE_CHECKING:
    from ssl_domains.cli.app import main
    from ssl_domains.cli.domain_commands import domain_app


def __getattr__(name: str) -> Any:
    if name == "domain_app":
        from ssl_domains.cli.domain_commands import domain_app

        return domain_app
    if name == "main":
        from ssl_domains.cli.app import main

        return main
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
