"""What this plugin hands to ssl-domains; imported for lists and commands, so nothing heavy is."""

from __future__ import annotations

from ssl_domains.extending import Domain, PairSampler
from ssl_domains_seismic.domain import SEISMIC
from ssl_domains_seismic.pairs import SAMPLERS

__all__ = ["ssl_domains_domains", "ssl_domains_pair_samplers"]


def ssl_domains_domains() -> list[Domain]:
    """The seismic domain."""
    return [SEISMIC]


def ssl_domains_pair_samplers() -> list[PairSampler]:
    """Neighbours, the same depth, parts of a volume, the survey."""
    return list(SAMPLERS)
