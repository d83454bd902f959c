"""Encoder of token ids: a Hugging Face model from a local folder, ``transformers:FOLDER``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ssl_domains.encoders.encoder import Encoder, Features
from ssl_domains.encoders.masked import masked_mean
from ssl_domains.encoders.masking.padding_check import relative_difference
from ssl_domains.encoders.stages import numbered_stages
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["PREFIX", "TransformerEncoder", "create_transformer"]

PREFIX = "transformers:"


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


def create_transformer(name: str, takes: InputSpec | None, *, init: str, seed: int) -> TransformerEncoder:
    """Build a `TransformerEncoder`. Nothing is downloaded, no code of the folder runs, and only safetensors are read.

    Args:
        name: ``transformers:FOLDER``; the folder was written by ``save_pretrained``.
        takes: The form of its input; None for ragged ids of kind ``"text"``.
        init: ``"pretrained"`` for the folder's weights, ``"random"`` for its architecture with weights from ``seed``.
        seed: Seed of random weights.

    Raises:
        UsageError: When the package transformers is missing, the folder has no model, weights are missing, the model
            can't be used, or ``takes`` has another form.
    """
    try:
        import transformers
    except ImportError:
        raise UsageError(
            f"encoder {name!r} needs the package transformers", "pip install 'ssl-domains[transformers]'"
        ) from None
    folder = Path(name.removeprefix(PREFIX)).expanduser()
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder} is not a folder with a model", "it holds config.json and model.safetensors")
    with _as_usage_error(folder), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
        if getattr(config, "is_encoder_decoder", False):
            raise UsageError(f"{folder} holds an encoder with a decoder ({config.model_type})", "take an encoder alone")
        model = _model(transformers, folder, config, init)
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # it reads the first token only, isn't used here and would get no gradient
    pad = getattr(config, "pad_token_id", None) or 0
    takes = takes or InputSpec("text", 1, (None,), "int64", float(pad))
    if takes.channels != 1 or len(takes.space) != 1 or takes.dtype != "int64":
        raise UsageError(
            f"encoder {name!r} takes token ids, int64 [B, 1, T], not {takes.dtype} with {takes.channels} channels and "
            f"{len(takes.space)} sides",
            'InputSpec("text", 1, (None,), "int64")',
        )
    return TransformerEncoder(model.float().train(), name, takes)


def _model(transformers: Any, folder: Path, config: Any, init: str) -> Any:
    if init == "random":
        return transformers.AutoModel.from_config(config)
    model, loaded = transformers.AutoModel.from_pretrained(
        folder, config=config, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    missing = sorted(key for key in loaded["missing_keys"] if "pooler" not in key)
    if missing:
        raise UsageError(f"{folder} lacks {len(missing)} weights of its model, such as {missing[0]}", "save it anew")
    return model


@contextlib.contextmanager
def _as_usage_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except UsageError:
        raise
    except Exception as error:  # a broken folder raises many different exceptions
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"{folder} is not a model that transformers can read: {cause}", "save it anew") from error
