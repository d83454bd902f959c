"""What the domain of documents hands to ssl-domains; imported for lists and commands, so nothing heavy is."""

from __future__ import annotations

from ssl_domains.extending import Domain, EncoderEntry, MethodEntry, PairSampler
from ssl_domains_text.documents.domain import TEXT
from ssl_domains_text.documents.pairs import SAMPLERS

__all__ = ["ssl_domains_domains", "ssl_domains_encoders", "ssl_domains_methods", "ssl_domains_pair_samplers"]


def ssl_domains_domains() -> list[Domain]:
    """Documents and the queries that find them."""
    return [TEXT]


def ssl_domains_pair_samplers() -> list[PairSampler]:
    """A query and its relevant documents."""
    return list(SAMPLERS)


def ssl_domains_encoders() -> list[EncoderEntry]:
    """A bag of tokens."""
    return [
        EncoderEntry(
            "static",
            "mean of token embeddings and a dense layer, from scratch; for texts",
            "ssl_domains_text.documents.encoders.static:static",
        )
    ]


def ssl_domains_methods() -> list[MethodEntry]:
    """Queries against documents."""
    return [
        MethodEntry(
            "ance",
            "queries against documents, with negatives from an index that is refreshed; needs a rule",
            "Xiong et al. 2020, Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text Retrieval",
            "ssl_domains_text.documents.methods.ance:ANCE",
            inputs="queries and documents, with seats (query, positive, mined negative)",
        )
    ]
