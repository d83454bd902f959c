"""The encoder ``static``: the mean of token embeddings, through a dense layer.

A vector of a text is that of its bag of tokens, so it is fast on any machine. Its modules are those of
sentence-transformers (StaticEmbedding, Dense), to which it is exported.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Features
from ssl_domains.encoders.masked import masked_mean
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

if TYPE_CHECKING:
    from ssl_domains.evaluation.sentence_models import SentenceModule, TextPreprocess

__all__ = ["StaticEncoder", "StaticModel", "static"]

_WIDTH, _OUT = 128, 64


class StaticModel(nn.Module):
    """Token embeddings and a dense layer.

    Args:
        vocabulary: Number of token ids.
        width: Numbers of a token's embedding.
        out: Numbers of a text's vector.
    """

    def __init__(self, vocabulary: int, width: int = _WIDTH, out: int = _OUT) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.dropout = nn.Dropout(0.0)  # `encoder.dropout` sets its probability
        self.dense = nn.Linear(width, out)

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of single tokens ``[B, T, out]`` for ids ``[B, T]``; their mean is that of the text."""
        made: Tensor = self.dense(self.dropout(self.embedding(ids)))
        return made

    @property
    def drops(self) -> bool:
        """Whether some numbers of the embeddings are set to 0."""
        return self.training and self.dropout.p > 0

    def pooled(self, ids: Tensor, valid: Tensor | None) -> Tensor:
        """Vectors of texts ``[B, out]``: the dense layer of the mean embedding, which is the mean of `forward`.

        Args:
            ids: int64 ``[B, T]``.
            valid: bool ``[B, 1, T]``; None where every token counts.
        """
        weight = self.embedding.weight
        if valid is None:
            mean = F.embedding_bag(ids, weight, mode="mean")
        else:
            counted = valid[:, 0].to(torch.int64).sum(dim=1)
            starts = F.pad(counted.cumsum(dim=0)[:-1], (1, 0))
            mean = F.embedding_bag(ids[valid[:, 0]], weight, starts, mode="mean")
        made: Tensor = self.dense(mean)
        return made


class _LateMap(Features):
    """Features whose map is made when it is first read: the vector of a text takes far less time without it."""

    _made: Callable[[], Tensor]

    def __init__(self, pooled: Tensor, made: Callable[[], Tensor], mask: Tensor | None) -> None:
        vars(self).update(pooled=pooled, mask=mask, _made=made)

    @cached_property
    def map(self) -> Tensor:
        """``[B, F, T]``."""
        return self._made()


class StaticEncoder(Encoder):
    """`StaticModel`, pooled by the mean over the valid tokens; the map is ``[B, F, T]``.

    Args:
        model: The model.
        takes: Token ids; its fact ``vocabulary`` is their number.
    """

    model: StaticModel

    def __init__(self, model: StaticModel, takes: InputSpec) -> None:
        super().__init__(model, "static", takes, model.dense.out_features)
        self.vocabulary = model.embedding.num_embeddings

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode token ids int64 ``[B, 1, T]`` with their validity ``[B, 1, T]``; invalid ids may be any numbers."""
        ids = (values if valid is None else values.masked_fill(~valid, int(self.takes.pad)))[:, 0]

        def tokens() -> Tensor:
            made: Tensor = self.model(ids).transpose(1, 2)
            return made if valid is None else made.masked_fill(~valid, 0.0)

        if self.model.drops:  # the vector is the mean of tokens that each lose some of their numbers
            made = tokens()
            return Features(masked_mean(made, valid), made, valid)
        return _LateMap(self.model.pooled(ids, valid), tokens, valid)

    def sentence_modules(self, preprocess: TextPreprocess) -> list[SentenceModule]:
        """The encoder as modules of sentence-transformers; see `SentenceEncoder`.

        A text without tokens has the vector 0 in StaticEmbedding, and that of the unknown word here. So the unknown
        word's embedding is taken off all the others, and what the dense layer makes of it is added to its bias.

        Raises:
            UsageError: For a tokenizer that adds special tokens to a text, which StaticEmbedding leaves out.
        """
        from tokenizers import Tokenizer

        from ssl_domains.evaluation.sentence_models import SentenceModule

        tokenizer = Tokenizer.from_str(preprocess.tokenizer)
        if tokenizer.num_special_tokens_to_add(False):
            raise UsageError(
                "the tokenizer adds special tokens to a text, which StaticEmbedding leaves out",
                "--format safetensors",
            )
        tokenizer.no_padding()
        tokenizer.enable_truncation(preprocess.tokens)
        weights, dense = self.model.embedding.weight.detach(), self.model.dense
        empty = preprocess(np.zeros(0, np.uint8)).values[0, 0].to(weights.device)
        unknown = weights[empty].mean(dim=0)
        shape = {"in_features": dense.in_features, "out_features": dense.out_features, "bias": True}
        linear = {"linear.weight": dense.weight, "linear.bias": dense.bias + dense.weight @ unknown}
        return [
            SentenceModule(
                "StaticEmbedding",
                weights={"embedding.weight": weights - unknown},
                files={"tokenizer.json": tokenizer.to_str()},
            ),
            SentenceModule(
                "Dense",
                config={**shape, "activation_function": "torch.nn.modules.linear.Identity"},
                weights=linear,
            ),
        ]


def static(takes: InputSpec, init: str) -> StaticEncoder:
    """Build the encoder.

    Args:
        takes: Token ids with the fact ``vocabulary``.
        init: ``"random"``.

    Raises:
        UsageError: For another input, or for pre-trained weights, of which there are none.
    """
    vocabulary = dict(takes.facts).get("vocabulary")
    if takes.dtype != "int64" or len(takes.space) != 1 or vocabulary is None:
        raise UsageError("the encoder 'static' takes token ids", "it is for the domain text")
    if init != "random":
        raise UsageError("there are no pre-trained weights of 'static'", "start from a run, or from random weights")
    return StaticEncoder(StaticModel(int(float(vocabulary))), takes)
