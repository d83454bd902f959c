"""Encoder of token ids: a Hugging Face model from a local folder, ``transformers:FOLDER``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ssl_domains.encoders.encoder import Encoder, Features
from ssl_domains.encoders.masked import masked_mean
from ssl_domains.encoders.masking.padding_check import relative_difference
from ssl_domains.encoders.stages import numbered_stages
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["TransformerEncoder", "text_encoder"]


class TransformerEncoder(Encoder):
    """A Hugging Face model, pooled by the mean of the last hidden states over the valid tokens.

    Validity becomes the attention mask. Invalid ids are replaced by the pad id, so they may be any numbers.

    Args:
        model: The model, called with ``input_ids`` and ``attention_mask``; returns ``last_hidden_state``.
        name: ``transformers:FOLDER``.
        takes: One channel and one side of int64; ``pad`` is the pad id.

    Raises:
        UsageError: When the model can't be run on token ids with an attention mask, or padding changes its vectors.
    """

    def __init__(self, model: nn.Module, name: str, takes: InputSpec) -> None:
        config: Any = model.config
        if getattr(config, "vocab_size", None) is None:
            raise UsageError(
                f"{name!r} holds a {type(model).__name__}, which takes no token ids", "take a model of text"
            )
        super().__init__(model, name, takes, int(config.hidden_size))
        self.vocabulary: int = int(config.vocab_size)
        self.longest = getattr(config, "max_position_embeddings", None)
        self._require_padding_proof()

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode token ids int64 ``[B, 1, T]`` with their validity ``[B, 1, T]``; the map is ``[B, F, T]``.

        Raises:
            UsageError: For more tokens than the model has positions.
        """
        if self.longest and values.shape[-1] > self.longest:
            raise UsageError(
                f"{values.shape[-1]} tokens for {self.name!r}, which has {self.longest} positions", "cut the texts"
            )
        attended = torch.ones_like(values, dtype=torch.bool) if valid is None else valid
        ids = values.masked_fill(~attended, int(self.takes.pad))[:, 0]
        hidden = self.model(input_ids=ids, attention_mask=attended[:, 0].long()).last_hidden_state
        features = hidden.transpose(1, 2).masked_fill(~attended, 0.0)
        return Features(masked_mean(features, attended), features, valid)

    def stages(self) -> Sequence[Sequence[str]]:
        """The embedding and the numbered layers; see `encoder_stages`."""
        return numbered_stages(self)

    def _require_padding_proof(self) -> None:
        generator = torch.Generator().manual_seed(0)
        ids = torch.randint(min(self.vocabulary, 1000), (1, 1, 14), generator=generator)
        ids = ids.to(next(self.parameters()).device)
        valid = torch.arange(14, device=ids.device).view(1, 1, 14) < 9
        training = self.training
        try:
            with torch.no_grad():
                self.eval()
                alone, padded = self(ids[..., :9]), self(ids, valid)
        except UsageError:
            raise
        except Exception as error:  # models of other inputs raise many different exceptions
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            raise UsageError(
                f"{self.name!r} holds a {type(self.model).__name__}, which can't be run on token ids with an attention "
                f"mask: {cause}",
                "take a model of text, such as BERT",
            ) from error
        finally:
            self.train(training)
        if relative_difference(padded.pooled, alone.pooled) > 1e-4:
            raise UsageError(
                f"{self.name!r} holds a {type(self.model).__name__}, which gives a text other numbers alone than "
                "padded",
                "take a model that follows its attention mask",
            )


def text_encoder(model: Any, name: str, takes: InputSpec | None) -> TransformerEncoder:
    """Build a `TransformerEncoder`.

    Args:
        model: The model, see `read_model`.
        name: ``transformers:FOLDER``.
        takes: The form of its input; None for ragged ids of kind ``"text"``.

    Raises:
        UsageError: When the model can't be used, or ``takes`` has another form.
    """
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # it reads the first token only, isn't used here and would get no gradient
    pad = getattr(model.config, "pad_token_id", None) or 0
    takes = takes or InputSpec("text", 1, (None,), "int64", float(pad))
    if takes.channels != 1 or len(takes.space) != 1 or takes.dtype != "int64":
        raise UsageError(
            f"encoder {name!r} takes token ids, int64 [B, 1, T], not {takes.dtype} with {takes.channels} channels and "
            f"{len(takes.space)} sides",
            'InputSpec("text", 1, (None,), "int64")',
        )
    return TransformerEncoder(model, name, takes)
