"""What the domain of documents hands to ssl-domains; imported for lists and commands, so nothing heavy is."""

from __future__ import annotations

from ssl_domains.extending import Domain, EncoderEntry, MethodEntry, PairSampler
from ssl_domains_text.documents.domain import TEXT
from ssl_domains_text.documents.pairs import SAMPLERS

__all__ = ["ssl_domains_domains", "ssl_domains_encoders", "ssl_domains_methods", "ssl_domains_pair_samplers"]

_WORDS = "ssl-domains text words SAMPLES --out RUN"
_CORPUS = "the words of documents; trained by `text words`"


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
    """Queries against documents, and vectors of words."""
    return [
        MethodEntry(
            "ance",
            "queries against documents, with negatives from an index that is refreshed; needs a rule",
            "Xiong et al. 2020, Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text Retrieval",
            "ssl_domains_text.documents.methods.ance:ANCE",
            inputs="queries and documents, with seats (query, positive, mined negative)",
        ),
        MethodEntry(
            "skipgram",
            "vectors of words that tell which words stand near, by negative sampling",
            "Mikolov et al. 2013, Distributed Representations of Words and Phrases and their Compositionality",
            "ssl_domains_text.documents.words.methods:SkipGram",
            inputs=_CORPUS,
            command=_WORDS,
        ),
        MethodEntry(
            "nce_lm",
            "the words before a place predict the word at it, by noise-contrastive estimation",
            "Mnih & Teh 2012, A fast and simple algorithm for training neural probabilistic language models",
            "ssl_domains_text.documents.words.methods:NceLanguageModel",
            inputs=_CORPUS,
            command=_WORDS,
        ),
        MethodEntry(
            "ranking_lm",
            "a window of text scores higher than one with another word in its middle",
            "Collobert & Weston 2008, A Unified Architecture for Natural Language Processing",
            "ssl_domains_text.documents.words.methods:RankingLanguageModel",
            inputs=_CORPUS,
            command=_WORDS,
        ),
    ]
