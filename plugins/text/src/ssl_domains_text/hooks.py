"""What this plugin hands to ssl-domains; imported for lists and commands, so nothing heavy is."""

from __future__ import annotations

from ssl_domains.extending import Domain, PairSampler
from ssl_domains_text.documents import domain as documents
from ssl_domains_text.documents import pairs as document_pairs

__all__ = ["ssl_domains_domains", "ssl_domains_pair_samplers"]


def ssl_domains_domains() -> list[Domain]:
    """The domain of documents."""
    return [documents.TEXT]


def ssl_domains_pair_samplers() -> list[PairSampler]:
    """A query and its relevant documents."""
    return list(document_pairs.SAMPLERS)
