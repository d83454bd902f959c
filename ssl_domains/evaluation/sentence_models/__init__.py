"""Exports of text encoders that sentence-transformers and transformers load: weights, tokenizer, pooling.

An encoder of token ids and the preprocess that holds its tokenizer come in, a folder goes out. In that folder an
encoder is a chain of modules of sentence-transformers (`SentenceModule`): those that the encoder names itself
(`SentenceEncoder`), or for a model of transformers the model and its mean pooling. `SentenceModel` and
`TransformerModel` load such a folder again, with the class of the library, and encode texts.
"""

from ssl_domains.evaluation.sentence_models.contract import SentenceEncoder, SentenceModule, TextPreprocess
from ssl_domains.evaluation.sentence_models.folder import (
    require_sentence_transformers,
    sentence_formats,
    write_sentence_model,
    write_transformer_model,
)
from ssl_domains.evaluation.sentence_models.loaded import SentenceModel, TextModel, TransformerModel
from ssl_domains.evaluation.sentence_models.texts import check_texts, encoded_texts

__all__ = [
    "SentenceEncoder",
    "SentenceModel",
    "SentenceModule",
    "TextModel",
    "TextPreprocess",
    "TransformerModel",
    "check_texts",
    "encoded_texts",
    "require_sentence_transformers",
    "sentence_formats",
    "write_sentence_model",
    "write_transformer_model",
]
