"""Encoder of pictures: a Hugging Face model from a local folder, such as ViT, DINOv2, Swin, ConvNeXt or SAM."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from timm.models import adapt_input_conv
from torch import Tensor, nn

from ssl_domains.encoders.encoder import Encoder, Features
from ssl_domains.encoders.masking.padding_check import relative_difference
from ssl_domains.encoders.stages import numbered_stages
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["TransformerPictureEncoder", "picture_encoder", "picture_part", "usual_input"]

_OTHERS = "take a ViT, DINOv2, Swin, ResNet, ConvNeXt or SAM encoder, or the same weights in timm by their name"
_UNDECAYED = ("cls_token", "mask_token", "register_tokens", "distillation_token", "class_embedding", "pos_embed",
              "position_embedding")  # fmt: skip


class TransformerPictureEncoder(Encoder):
    """A Hugging Face model on pictures of one size, called with ``pixel_values``.

    The pooled features are the model's ``pooler_output`` where it has one, else its first token, else the mean of its
    map. The head of a ViT that was trained on top of the first token is left out, as timm does. Validity doesn't change
    the features; it is only resized to the mask of the map.

    Args:
        model: The model; returns ``last_hidden_state``, tokens ``[B, N, F]`` or a map ``[B, F, h, w]``.
        name: ``transformers:FOLDER``.
        takes: The form of its input.

    Raises:
        UsageError: When the model can't be run on such pictures, its tokens are no places of the picture, or it gives a
            picture other numbers each time.
    """

    def __init__(self, model: nn.Module, name: str, takes: InputSpec) -> None:
        super().__init__(model, name, takes, 0)
        config: Any = model.config
        patch = getattr(config, "patch_size", None)
        self.patch = _pair(patch) if patch else None
        # Swin halves the sides before each stage but the first.
        self.halvings = max(0, len(getattr(config, "depths", None) or ()) - 1)
        size = getattr(config, "image_size", None)
        self.usual_size = _pair(size) if size else None
        self.interpolates = "interpolate_pos_encoding" in inspect.signature(model.forward).parameters
        self._require_proof()

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode ``values [B, C, H, W]`` with their validity ``[B, 1, H, W]``.

        Raises:
            UsageError: When the tokens are no places of such a picture.
        """
        other = self.interpolates and self.usual_size not in (None, tuple(values.shape[-2:]))
        options = {"interpolate_pos_encoding": True} if other else {}
        out = self.model(pixel_values=values, **options)
        hidden = out.last_hidden_state
        features = hidden if hidden.ndim == 4 else self._as_map(hidden, values)
        pooled = getattr(out, "pooler_output", None)
        if pooled is not None:
            pooled = pooled.flatten(1)
        elif hidden.ndim == 3 and hidden.shape[1] > features[0, 0].numel():
            pooled = hidden[:, 0]
        else:
            pooled = features.mean(dim=(2, 3))
        mask = None
        if valid is not None:
            mask = F.adaptive_max_pool2d(valid.to(values.dtype), features.shape[-2:]) > 0
        return Features(pooled, features, mask)

    def stages(self) -> Sequence[Sequence[str]]:
        """The embedding and the numbered layers or stages; see `encoder_stages`."""
        return numbered_stages(self)

    def no_weight_decay(self) -> set[str]:
        """Names of tokens and position embeddings, which get no weight decay, as in timm."""
        return {name for name, _ in self.named_parameters() if any(word in name for word in _UNDECAYED)}

    def _as_map(self, tokens: Tensor, values: Tensor) -> Tensor:
        """The tokens of places ``[B, h · w, F]``, which stand behind the others, as ``[B, F, h, w]``."""
        count = tokens.shape[1]
        if self.patch is not None:
            height, width = (
                side // patch // 2**self.halvings for side, patch in zip(values.shape[-2:], self.patch, strict=True)
            )
            others = count - height * width
            registers = int(getattr(self.model.config, "num_register_tokens", None) or 0)
            if 0 <= others <= 2 + registers:
                return tokens[:, others:].transpose(1, 2).reshape(len(tokens), -1, height, width)
        sides = " × ".join(str(side) for side in values.shape[-2:])
        cause = f"{self.name!r} holds a {type(self.model).__name__}, whose {count} tokens are no places of a picture"
        raise UsageError(f"{cause} of {sides} pixels", _OTHERS)

    def _require_proof(self) -> None:
        """Encode a random picture twice. Parameters that don't act, such as a mask token, are not trained."""
        sides = [side or 1 for side in self.takes.space]
        values = torch.rand(1, self.takes.channels, *sides, generator=torch.Generator().manual_seed(0))
        values = values.to(next(self.parameters()).device)
        training = self.training
        try:
            with torch.enable_grad():
                features = self.eval()(values)
                trained = [one for one in self.parameters() if one.requires_grad]
                gradients = torch.autograd.grad(features.pooled.sum(), trained, allow_unused=True)
            with torch.no_grad():
                again = self(values)
        except UsageError:
            raise
        except Exception as error:  # architectures refuse an input with many different exceptions
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            size = self.usual_size
            hint = f"use --set views.size={size[0]}" if size and size != self.takes.space else _OTHERS
            raise UsageError(
                f"{self.name!r} holds a {type(self.model).__name__}, which can't be run on pictures of "
                f"{sides[0]} × {sides[1]} pixels: {cause}",
                hint,
            ) from error
        finally:
            self.train(training)
        if relative_difference(again.map, features.map.detach()) > 1e-4:
            cause = f"{self.name!r} holds a {type(self.model).__name__}, which gives a picture other numbers each time"
            raise UsageError(cause, _OTHERS)
        for parameter, gradient in zip(trained, gradients, strict=True):
            if gradient is None:
                parameter.requires_grad_(False)
        self.num_features = features.pooled.shape[1]


def picture_part(model: Any) -> nn.Module | None:
    """The part of a Hugging Face model that encodes pictures: itself, or that of CLIP, SigLIP or SAM; None for none."""
    for part in (getattr(model, "vision_model", None), getattr(model, "vision_encoder", None), model):
        names = inspect.signature(part.forward).parameters if isinstance(part, nn.Module) else {}
        if "pixel_values" in names and "input_ids" not in names:
            return part
    return None


def usual_input(model: Any, channels: int | None = None, size: int | None = None) -> InputSpec:
    """The form of pictures of the model's own channels and size, or of others."""
    config = model.config
    sides = _pair(size or getattr(config, "image_size", None) or 224)
    return InputSpec("image", channels or int(getattr(config, "num_channels", 3)), sides)


def picture_encoder(model: Any, name: str, takes: InputSpec) -> TransformerPictureEncoder:
    """Build a `TransformerPictureEncoder`.

    Args:
        model: The model, see `picture_part`. For another number of channels, the weights of its first layer are summed
            or repeated by timm's rules.
        name: ``transformers:FOLDER``.
        takes: The form of its input.

    Raises:
        UsageError: When the model can't be used, or ``takes`` has another form.
    """
    if len(takes.space) != 2 or takes.ragged or takes.dtype == "int64":
        cause = f"{name!r} holds a {type(model).__name__}, which takes pictures of one size, not {takes.kind!r}"
        raise UsageError(cause, "take a folder with a model of text, or conv1d for signals")
    patch = getattr(model.config, "patch_size", None)
    for side, one in zip(takes.space, _pair(patch or 1), strict=True):
        if not getattr(model.config, "depths", None) and (side or 0) % one:
            cause = f"pictures of {side} pixels are no multiple of the patches of {one} of {name!r}"
            raise UsageError(cause, f"use --set views.size={max(1, (side or 0) // one) * one}")
    if getattr(getattr(model, "pooler", None), "dense", None) is not None:
        model.pooler = None
    resampled = _adapt_channels(model, takes.channels)
    encoder = TransformerPictureEncoder(model, name, takes)
    encoder.resampled = resampled
    return encoder


def _adapt_channels(model: Any, channels: int) -> list[str]:
    """Make the first layer take another number of channels; a sentence on its weight if it was changed."""
    own = int(getattr(model.config, "num_channels", channels))
    if own == channels:
        return []
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d) and layer.in_channels == own and layer.groups == 1:
            before = "×".join(map(str, layer.weight.shape))
            layer.weight = nn.Parameter(adapt_input_conv(channels, layer.weight.detach()))
            layer.in_channels = model.config.num_channels = channels
            for module in model.modules():
                if getattr(module, "num_channels", None) == own:
                    module.num_channels = channels
            return [f"{name}.weight was resampled from {before} to {'×'.join(map(str, layer.weight.shape))}"]
    return []


def _pair(size: Any) -> tuple[int, int]:
    """A side, or two of them, of a Hugging Face configuration."""
    if isinstance(size, int):
        return size, size
    height, width = size
    return int(height), int(width)
