"""What an encoder and a preprocess of texts offer, so that they can be exported to sentence-transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.inputs import Input

__all__ = ["SentenceEncoder", "SentenceModule", "TextPreprocess"]


@dataclass(frozen=True)
class SentenceModule:
    """A module of sentence-transformers as the files of its folder.

    Attributes:
        kind: Name of its class in ``sentence_transformers.models``, such as ``"Dense"``.
        config: Values of its ``config.json``; empty for a module that has none.
        weights: Tensors of its ``model.safetensors``; empty for a module that has none.
        files: Further text files: name → contents, such as ``tokenizer.json``.
    """

    kind: str
    config: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@runtime_checkable
class TextPreprocess(Protocol):
    """A preprocess of texts: UTF-8 bytes uint8 ``[n]`` to token ids int64 ``[1, 1, T]``.

    Attributes:
        tokenizer: The tokenizer as JSON of the package tokenizers.
        tokens: Largest number of tokens of a text, special ones included.
    """

    @property
    def tokenizer(self) -> str:
        """The tokenizer as JSON."""
        ...

    @property
    def tokens(self) -> int:
        """Largest number of tokens."""
        ...

    def __call__(self, array: NDArray[np.uint8], facts: Mapping[str, Any] | None = None) -> Input:
        """The tokens of one text as a batch of one."""
        ...


@runtime_checkable
class SentenceEncoder(Protocol):
    """An encoder of token ids that names its modules of sentence-transformers.

    An encoder must implement this to be exported as ``sentence-transformers``; models of transformers need not.
    """

    def sentence_modules(self, preprocess: TextPreprocess) -> Sequence[SentenceModule]:
        """The modules, in their order; together they give the pooled features of a text.

        Args:
            preprocess: The preprocess, whose tokenizer the first module takes along.

        Raises:
            UsageError: When they can't give the same vectors with this tokenizer.
        """
        ...
