"""Methods that learn from words in their sentences: what is predicted, from what, and against which drawn words."""

from __future__ import annotations

from ssl_domains_text.documents.words.methods.contract import StepResult, WordMethod, WordOptions
from ssl_domains_text.documents.words.methods.nce_lm import NceLanguageModel
from ssl_domains_text.documents.words.methods.ranking_lm import RankingLanguageModel
from ssl_domains_text.documents.words.methods.skipgram import SkipGram

__all__ = ["METHODS", "NceLanguageModel", "RankingLanguageModel", "SkipGram", "StepResult", "WordMethod", "WordOptions"]

METHODS: dict[str, type[WordMethod]] = {
    "skipgram": SkipGram,
    "nce_lm": NceLanguageModel,
    "ranking_lm": RankingLanguageModel,
}
"""The methods by their names."""
