"""Texts, as UTF-8 bytes, to token ids, and the declaration that trains a tokenizer on the training rows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import register_preprocess
from ssl_domains_text.documents.inputs.tokenizer import UNKNOWN, pad_id, read_tokenizer, trained_tokenizer

if TYPE_CHECKING:
    from ssl_domains_text.documents.inputs.settings import TokenSettings

__all__ = ["TokenPreprocess", "TokensToFit", "tokens_for"]

_MOST_TEXTS = 200_000  # texts that a tokenizer is trained on
_MEASURED = 2_000  # documents whose tokens are counted


@register_preprocess
@dataclass(frozen=True)
class TokenPreprocess:
    """Texts as UTF-8 bytes uint8 ``[n]`` to token ids int64 ``[1, 1, T]`` of kind ``"text"``.

    Attributes:
        tokenizer: The tokenizer as JSON.
        tokens: Largest number of tokens of a text, special ones included; the others are cut off its end.
        vocabulary: Number of ids, of which a trained tokenizer may leave some unused; 0 for those of the tokenizer.
        settings: Values of ``[input]`` that give it for any table.
        fitted: Lines on what it was fitted to.
    """

    name: ClassVar[str] = "tokens"
    columns: ClassVar[tuple[str, ...]] = ()
    tokenizer: str
    tokens: int = 128
    vocabulary: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    fitted: tuple[str, ...] = ()

    @property
    def spec(self) -> InputSpec:
        """Token ids of any length; the fact ``vocabulary`` is the number of ids."""
        return _spec(self.vocabulary or self.pieces, self._pad)

    @property
    def longest(self) -> int:
        """Largest number of tokens of a text."""
        return self.tokens

    @cached_property
    def pieces(self) -> int:
        """Number of ids of the tokenizer: one more than the largest."""
        return int(max(self._made.get_vocab(with_added_tokens=True).values())) + 1

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        """The tokens of one text as a batch of one; a text without any has the one that stands for unknown words.

        Args:
            array: The text, uint8 ``[n]``.
            facts: Not read.

        Raises:
            DataError: When the array is no text.
        """
        return self.joined([array])

    def joined(self, arrays: Sequence[NDArray[Any]], facts: Sequence[Mapping[str, Any]] = ()) -> Input:
        """The tokens of several texts as one batch, padded to the longest of them.

        Args:
            arrays: The texts, uint8 ``[n]`` each.
            facts: Not read.

        Raises:
            DataError: When an array is no text.
        """
        for array in arrays:
            if array.ndim != 1 or array.dtype != np.uint8:
                cause = f"a text has {array.dtype} {list(array.shape)}"
                raise DataError(cause, "the reader gives UTF-8 bytes, uint8 [n]")
        texts = [array.tobytes().decode("utf-8", "replace") for array in arrays]
        unknown = [self._made.token_to_id(UNKNOWN) or 0]
        ids = [made.ids or unknown for made in self._made.encode_batch_fast(texts)]
        lengths = np.array([len(one) for one in ids])
        valid = np.arange(lengths.max()) < lengths[:, None]
        values = np.full(valid.shape, self._pad, dtype=np.int64)
        values[valid] = np.concatenate(ids)
        mask = None if valid.all() else torch.from_numpy(valid)[:, None]
        return Input(torch.from_numpy(values)[:, None], mask, "text", (0,), self._pad)

    def stored_form(self, dtypes: set[np.dtype[Any]]) -> tuple[torch.dtype, bool, bool]:
        """Form of cached inputs: int64, and none has a mask."""
        return torch.int64, False, False

    def to_dict(self) -> dict[str, Any]:
        """Settings and the tokenizer, as JSON values."""
        kept = {"tokenizer": self.tokenizer, "tokens": self.tokens, "vocabulary": self.vocabulary}
        return {**kept, "settings": dict(self.settings)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TokenPreprocess:
        """The reverse of `to_dict`."""
        return cls(**values)

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("tokenizer", "tokens", "vocabulary", "settings", "fitted")}

    @cached_property
    def _made(self) -> Any:
        from tokenizers import Tokenizer

        # Threads of its own would take the cores of torch and of other workers, and don't survive a fork.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        tokenizer = Tokenizer.from_str(self.tokenizer)
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.tokens)
        return tokenizer

    @cached_property
    def _pad(self) -> float:
        return float(pad_id(self._made))


@dataclass(frozen=True)
class TokensToFit:
    """Declares a `TokenPreprocess` whose tokenizer is read from a file, or trained on the training rows.

    Attributes:
        options: The settings.
    """

    options: TokenSettings

    @property
    def spec(self) -> InputSpec:
        """Token ids of any length; those of a tokenizer that is to be trained are as many as it may have."""
        if self.options.tokenizer is None:
            return _spec(self.options.vocabulary, 0.0)
        return TokenPreprocess(read_tokenizer(self.options.tokenizer)).spec

    def fit(self, table: SampleTable, store: ArrayStore) -> TokenPreprocess:
        """Read or train the tokenizer, and count what it cuts.

        Raises:
            DataError: When there is no text to train on, or the file is no tokenizer.
            UsageError: When there is no such file.
        """
        samples = store.of(table)
        rows = table.rows_of("train")
        rows = rows[samples.decoded[rows]]
        chosen = _even(rows, _MOST_TEXTS)

        def texts(some: NDArray[np.int64]) -> Iterator[str]:
            return (samples[int(row)].tobytes().decode("utf-8", "replace") for row in some)

        lines = []
        if self.options.tokenizer is not None:
            made = read_tokenizer(self.options.tokenizer)
        elif not len(chosen):
            raise DataError("there is no text to train a tokenizer on", "see the table's problems file")
        else:
            made = trained_tokenizer(texts(chosen), self.options.vocabulary, self.options.lower)
        whole = TokenPreprocess(made, 1 << 20)
        origin = "read" if self.options.tokenizer is not None else f"trained on {len(chosen):,} texts"
        lines.append(f"tokenizer of {whole.pieces:,} pieces, {origin}")
        lengths = np.array([whole(np.frombuffer(text.encode(), np.uint8)).values.shape[-1] for text in
                            texts(_even(rows, _MEASURED))], dtype=np.int64)  # fmt: skip
        cut = lengths > self.options.tokens
        if cut.any():
            lost = (lengths - self.options.tokens).clip(0).sum() / lengths.sum()
            lines.append(f"{self.options.tokens} tokens cut {cut.mean():.0%} of the texts, {lost:.0%} of all tokens")
        settings = self.options.model_dump(exclude_none=True)
        vocabulary = 0 if self.options.tokenizer is not None else self.options.vocabulary
        return TokenPreprocess(made, self.options.tokens, vocabulary, settings, tuple(lines))


def _spec(vocabulary: int, pad: float) -> InputSpec:
    return InputSpec("text", 1, (None,), "int64", pad, (("vocabulary", float(vocabulary)),))


def tokens_for(table: SampleTable, settings: TokenSettings) -> TokensToFit:
    """The preprocess of a table: it doesn't depend on the table before it is fitted."""
    return TokensToFit(settings)


def _even(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of some rows, at equal distances."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
