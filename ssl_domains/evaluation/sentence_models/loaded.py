"""Exported text encoders, loaded by the library that they are for: texts to vectors."""

from __future__ import annotations

import contextlib
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ssl_domains.encoders.hugging_face.folder import without_progress_bars

__all__ = ["SentenceModel", "TextModel", "TransformerModel"]

_BATCH = 32


class TextModel(nn.Module, ABC):
    """A loaded export of a text encoder."""

    @abstractmethod
    def forward(self, texts: Sequence[str]) -> Tensor:
        """Vectors float32 ``[n, F]`` of ``n`` texts."""
        ...


class SentenceModel(TextModel):
    """A folder in sentence-transformers.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from sentence_transformers import SentenceTransformer

        with _quiet():
            self.model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Vectors float32 ``[n, F]``, as ``SentenceTransformer.encode`` gives them."""
        made = self.model.encode(list(texts), convert_to_tensor=True, show_progress_bar=False, batch_size=_BATCH)
        vectors: Tensor = made.float()
        return vectors


class TransformerModel(TextModel):
    """A folder in transformers, by ``AutoModel`` and ``AutoTokenizer``; the vector is the mean over the tokens.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        with _quiet():
            self.model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
            self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Vectors float32 ``[n, F]``."""
        parts = [self._batch(list(texts[start : start + _BATCH])) for start in range(0, len(texts), _BATCH)]
        return torch.cat(parts)

    def _batch(self, texts: list[str]) -> Tensor:
        tokens = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        hidden = self.model(**tokens).last_hidden_state
        mask = tokens["attention_mask"][..., None].to(hidden.dtype)
        pooled: Tensor = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
        return pooled.float()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars, and no warning that a pooler, which no vector here reads, is not among the weights."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with without_progress_bars(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
