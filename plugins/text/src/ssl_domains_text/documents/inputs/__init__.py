"""From texts to token ids: the settings, the tokenizer, the preprocess, and the recipe of the views."""

from ssl_domains_text.documents.inputs.recipe import TokenRecipe, recipe
from ssl_domains_text.documents.inputs.token_preprocess import TokenPreprocess, TokensToFit, tokens_for

__all__ = ["TokenPreprocess", "TokenRecipe", "TokensToFit", "recipe", "tokens_for"]
