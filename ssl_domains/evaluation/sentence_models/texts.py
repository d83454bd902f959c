"""The texts that an export is checked with, and their vectors by the encoder of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ssl_domains.encoders import Encoder, TransformerEncoder
from ssl_domains.evaluation.sentence_models.contract import TextPreprocess
from ssl_domains.inputs import Input

__all__ = ["check_texts", "encoded_texts"]

_WORDS = 40


def check_texts(encoder: Encoder, preprocess: TextPreprocess) -> list[str]:
    """Texts of the tokenizer's own words: short ones, one beyond the cut, foreign scripts, and an empty one.

    The empty text is left out where transformers can't encode it, as its tokenizer gives it no token.
    """
    from tokenizers import Tokenizer

    tokenizer: Any = Tokenizer.from_str(preprocess.tokenizer)
    ids = sorted(tokenizer.get_vocab(with_added_tokens=True).values())
    chosen = [ids[place] for place in np.linspace(0, len(ids) - 1, _WORDS).astype(int)]
    words = [word for one in chosen if (word := tokenizer.decode([one]).strip())]
    whole = " ".join(words)
    long = " ".join([whole] * (1 + preprocess.tokens // max(1, len(words))))
    texts = [*words[:4], whole, long, long.upper(), "Grüße aus Łódź: naïve Straße, 東京の天気, שלום 🙂"]
    if not isinstance(encoder, TransformerEncoder) or tokenizer.encode("").ids:
        texts.append("")
    return texts


def encoded_texts(encoder: Encoder, preprocess: TextPreprocess, texts: Sequence[str]) -> Tensor:
    """Pooled features float32 ``[n, F]`` of texts, by an encoder in evaluation mode on the CPU."""
    inputs = [preprocess(np.frombuffer(text.encode("utf-8", "replace"), np.uint8)) for text in texts]
    batch = Input.cat(inputs)
    with torch.no_grad():
        pooled: Tensor = encoder(batch.values, batch.valid).pooled
    return pooled.float()
