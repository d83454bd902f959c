"""What this plugin hands to ssl-domains; imported for lists and commands, so nothing heavy is."""

from __future__ import annotations

from ssl_domains.extending import Domain, PairSampler
from ssl_domains_fisheye.domain import FISHEYE
from ssl_domains_fisheye.pairs import SAMPLERS

__all__ = ["ssl_domains_domains", "ssl_domains_pair_samplers"]


def ssl_domains_domains() -> list[Domain]:
    """The fisheye domain."""
    return [FISHEYE]


def ssl_domains_pair_samplers() -> list[PairSampler]:
    """Region, class, and their mixtures."""
    return list(SAMPLERS)
