"""``ssl-domains text``: the commands of every domain."""

from __future__ import annotations

from ssl_domains.cli import domain_app

__all__ = ["app"]

app = domain_app("text")
