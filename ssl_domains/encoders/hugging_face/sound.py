"""Encoder of waveforms: a Hugging Face model from a local folder, such as wav2vec 2.0, HuBERT, WavLM or Whisper."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ssl_domains.encoders.encoder import Encoder, Features
from ssl_domains.encoders.hugging_face.trained_waves import trained_waves
from ssl_domains.encoders.hugging_face.whisper import is_whisper, whisper_encoder
from ssl_domains.encoders.masked import masked_mean
from ssl_domains.encoders.masking.padding_check import relative_difference
from ssl_domains.encoders.stages import numbered_stages
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["TransformerSoundEncoder", "is_sound_model", "sound_encoder"]


class TransformerSoundEncoder(Encoder):
    """A Hugging Face model on waveforms, pooled by the mean of the last hidden states over the valid places.

    Padding is replaced by silence, and validity becomes the attention mask. A waveform that is too short for one place
    is lengthened to one by silence. The random masks of the model's own training are left out. A weight that the model
    keeps as direction and length (weight norm) becomes one tensor, as torch can't pickle the former.

    Args:
        model: The model, called with ``input_values [B, T]`` and ``attention_mask``; returns ``last_hidden_state``.
        name: ``transformers:FOLDER``.
        takes: One channel and one side.
        normalised: Whether each waveform is brought to mean 0 and variance 1 over its valid places, as the model's
            feature extractor does.

    Raises:
        UsageError: When a norm of the model reads padding, or the model can't be run on waveforms.
    """

    reads_all = True

    def __init__(self, model: nn.Module, name: str, takes: InputSpec, normalised: bool = False) -> None:
        config: Any = model.config
        super().__init__(model, name, takes, int(config.hidden_size))
        self.normalised = normalised
        config.apply_spec_augment, config.layerdrop = False, 0.0
        _join_weights(model)
        self.shortest = _field(config.conv_kernel, config.conv_stride)
        if takes.ragged and getattr(config, "feat_extract_norm", "layer") == "group":
            raise UsageError(
                f"{name!r} holds a {type(model).__name__} whose first norm is over all of a recording's time "
                "(feat_extract_norm = 'group'): with recordings of differing length it reads their padding",
                "take a model with feat_extract_norm = 'layer', such as wav2vec2-large-lv60 or hubert-large",
            )
        self._require_proof()

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode waveforms ``[B, 1, T]`` with their validity ``[B, 1, T]``; the map is ``[B, F, places]``."""
        model: Any = self.model
        waves = values[:, 0] if valid is None else values[:, 0].masked_fill(~valid[:, 0], 0.0)
        waves = _normalised(waves, None if valid is None else valid[:, 0]) if self.normalised else waves
        waves = F.pad(waves, (0, max(0, self.shortest - waves.shape[1])))
        if valid is None:
            features = model(waves).last_hidden_state.transpose(1, 2)
            return Features(masked_mean(features), features)
        length = valid[:, 0].sum(dim=1).clamp(min=self.shortest)
        attended = torch.arange(waves.shape[1], device=waves.device) < length[:, None]
        hidden = model(waves, attention_mask=attended.long()).last_hidden_state
        places = model._get_feat_extract_output_lengths(length)
        mask = (torch.arange(hidden.shape[1], device=waves.device) < places[:, None])[:, None]
        features = hidden.transpose(1, 2).masked_fill(~mask, 0.0)
        return Features(masked_mean(features, mask), features, mask)

    def stages(self) -> Sequence[Sequence[str]]:
        """The convolutions and the numbered layers; see `encoder_stages`."""
        return numbered_stages(self)

    def _require_proof(self) -> None:
        """Encode noise alone and padded. Parameters that don't act, such as a mask embedding, are not trained."""
        device = next(self.parameters()).device
        length = self.takes.space[0] or 4 * self.shortest
        values = torch.randn(1, 1, length, generator=torch.Generator().manual_seed(0)).to(device)
        longer = F.pad(values, (0, length), value=3.0)
        valid = (torch.arange(2 * length, device=device) < length)[None, None]
        training = self.training
        try:
            with torch.enable_grad():
                features = self.eval()(values)
                trained = [one for one in self.parameters() if one.requires_grad]
                gradients = torch.autograd.grad(features.pooled.sum(), trained, allow_unused=True)
            with torch.no_grad():
                padded = self(longer, valid).pooled if self.takes.ragged else features.pooled
        except Exception as error:  # architectures refuse an input with many different exceptions
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            raise UsageError(
                f"{self.name!r} holds a {type(self.model).__name__}, which can't be run on waveforms: {cause}",
                "take wav2vec 2.0, HuBERT, WavLM or Whisper",
            ) from error
        finally:
            self.train(training)
        if relative_difference(padded, features.pooled.detach()) > 1e-4:
            cause = f"{self.name!r} holds a {type(self.model).__name__}, whose features of a recording read padding"
            raise UsageError(cause, "take a wav2vec 2.0 or HuBERT with feat_extract_norm = 'layer'")
        for parameter, gradient in zip(trained, gradients, strict=True):
            if gradient is None:
                parameter.requires_grad_(False)


def is_sound_model(model: Any) -> bool:
    """Whether a model takes waveforms, and says how many places it makes of them."""
    named = "input_values" in inspect.signature(model.forward).parameters
    return named and hasattr(model, "_get_feat_extract_output_lengths")


def sound_encoder(model: Any, name: str, takes: InputSpec | None, init: str) -> Encoder:
    """Build a `TransformerSoundEncoder`, or a `WhisperSoundEncoder`.

    Args:
        model: The model, see `is_sound_model` and `is_whisper`.
        name: ``transformers:FOLDER``.
        takes: The form of its input; None for waveforms of any length.
        init: ``"pretrained"`` or ``"random"``.

    Raises:
        UsageError: When the model can't be used, ``takes`` has another form, or another rate than the waveforms that
            the weights were trained on.
    """
    takes = takes or InputSpec("wave", 1, (None,))
    if takes.channels != 1 or len(takes.space) != 1 or takes.dtype == "int64":
        cause = f"{name!r} holds a {type(model).__name__}, which takes waveforms [B, 1, T], not {takes.kind!r}"
        raise UsageError(cause, "for recordings: --set input.form=wave --set input.rate=16000")
    trained = trained_waves(name)
    trained.require(name, takes, init)
    encoder: Encoder = (
        whisper_encoder(model, name, takes, trained)
        if is_whisper(model)
        else TransformerSoundEncoder(model, name, takes, trained.normalised)
    )
    if init == "pretrained":
        encoder.resampled = list(trained.warning(name, takes))
    return encoder


def _normalised(waves: Tensor, valid: Tensor | None) -> Tensor:
    """Waveforms ``[B, T]`` with mean 0 and variance 1 over their valid places, and 0 elsewhere."""
    kept = torch.ones_like(waves, dtype=torch.bool) if valid is None else valid
    count = kept.sum(dim=1, keepdim=True).clamp(min=1)
    centred = (waves - waves.sum(dim=1, keepdim=True) / count).masked_fill(~kept, 0.0)
    return centred / (centred.square().sum(dim=1, keepdim=True) / count + 1e-7).sqrt()


def _join_weights(model: nn.Module) -> None:
    for module in list(model.modules()):
        if parametrize.is_parametrized(module):
            for name in list(module.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)
            # What reads older names of such weights stays behind, and can't be pickled either.
            for key, hook in list(module._load_state_dict_pre_hooks.items()):
                if "weight_norm" in getattr(getattr(hook, "hook", hook), "__qualname__", ""):
                    del module._load_state_dict_pre_hooks[key]


def _field(kernels: Sequence[int], strides: Sequence[int]) -> int:
    """Samples of the shortest waveform that has a place behind these convolutions."""
    field = 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        field = (field - 1) * stride + kernel
    return field
