"""What this plugin hands to ssl-domains; imported for lists and commands, so nothing heavy is."""

from __future__ import annotations

from ssl_domains.extending import Domain, PairSampler
from ssl_domains_medical.domain import MEDICAL
from ssl_domains_medical.pairs import SAMPLERS

__all__ = ["ssl_domains_domains", "ssl_domains_pair_samplers"]


def ssl_domains_domains() -> list[Domain]:
    """The medical domain."""
    return [MEDICAL]


def ssl_domains_pair_samplers() -> list[PairSampler]:
    """Patient, eye, study, series, volume, neighbours, position and clinical values."""
    return list(SAMPLERS)
