"""What the domain of text lines hands to ssl-domains; imported for lists and commands, so nothing heavy is."""

from __future__ import annotations

from ssl_domains.extending import Domain, PairSampler
from ssl_domains_text.lines.domain import LINES
from ssl_domains_text.lines.pairs import SAMPLERS

__all__ = ["ssl_domains_domains", "ssl_domains_pair_samplers"]


def ssl_domains_domains() -> list[Domain]:
    """Pictures of text lines."""
    return [LINES]


def ssl_domains_pair_samplers() -> list[PairSampler]:
    """Writers, books and pages of lines."""
    return list(SAMPLERS)
