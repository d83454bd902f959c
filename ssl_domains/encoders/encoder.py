"""An encoder: any timm model by name, giving pooled features and the map they came from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.errors import UsageError, did_you_mean

__all__ = ["Encoder", "Features", "create_encoder"]


@dataclass(frozen=True)
class Features:
    """What an encoder gives for a batch of ``B`` inputs.

    Attributes:
        pooled: ``[B, F]``, by the model's own pooling, so that the exported model gives the same.
        map: ``[B, F, h, w]``, the features before pooling.
        mask: Bool ``[B, 1, h, w]``, where the map saw at least one valid pixel; None when all of it is valid.
    """

    pooled: Tensor
    map: Tensor
    mask: Tensor | None = None


class Encoder(nn.Module):
    """A timm model without its classifier.

    Args:
        model: A timm model made with ``num_classes=0``.
        name: The architecture's name in timm.
        in_chans: Channels of the input.
    """

    def __init__(self, model: nn.Module, name: str, in_chans: int) -> None:
        super().__init__()
        self.model = model
        self.name = name
        self.in_chans = in_chans

    @property
    def num_features(self) -> int:
        """Width ``F`` of the pooled features."""
        model: Any = self.model
        return int(getattr(model, "head_hidden_size", None) or model.num_features)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Features:
        """Encode ``x [B, C, H, W]`` in [0, 1] with its validity ``mask [B, 1, H, W]``."""
        model: Any = self.model
        tokens = model.forward_features(x)
        pooled = model.forward_head(tokens, pre_logits=True)
        features = self._as_map(tokens, x)
        if mask is not None:
            mask = F.adaptive_max_pool2d(mask.to(x.dtype), features.shape[-2:]) > 0
        return Features(pooled, features, mask)

    def _as_map(self, tokens: Tensor, x: Tensor) -> Tensor:
        model: Any = self.model
        if tokens.ndim == 4:
            # Transformers with windows keep channels last; everything else is [B, F, h, w] already.
            return tokens if getattr(model, "output_fmt", "NCHW") == "NCHW" else tokens.permute(0, 3, 1, 2)
        patches = tokens[:, int(getattr(model, "num_prefix_tokens", 0)) :]
        height, width = model.patch_embed.dynamic_feat_size(x.shape[-2:])
        return patches.transpose(1, 2).reshape(len(patches), -1, height, width)


def create_encoder(
    name: str,
    in_chans: int = 3,
    *,
    init: Literal["random", "pretrained"] = "random",
    seed: int = 0,
    image_size: int | None = None,
) -> Encoder:
    """Build an encoder by its timm name.

    Args:
        name: A timm architecture, or ``small_conv``.
        in_chans: Channels of the input; timm adapts the first layer of pretrained weights.
        init: ``"random"`` from ``seed``, whatever was drawn before; ``"pretrained"`` asks timm for weights (network).
        seed: Seed of the random weights.
        image_size: Edge of the input in pixels, for architectures that must know it (ViT).

    Raises:
        UsageError: When timm has no such model, it can't take this input, or its weights can't be had.
    """
    if not timm.is_model(name):
        known = timm.list_models(name[:4] + "*") or ["small_conv", "resnet18", "resnet50", "vit_small_patch16_224"]
        raise UsageError(f"timm has no encoder {name!r}", did_you_mean(name, known))
    options = {"in_chans": in_chans, "num_classes": 0}
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        torch.manual_seed(seed)
        try:
            try:
                model = timm.create_model(name, pretrained=init == "pretrained", img_size=image_size, **options)
            except TypeError:  # most architectures take any size and know no img_size
                torch.manual_seed(seed)
                model = timm.create_model(name, pretrained=init == "pretrained", **options)
        except Exception as error:
            cause = str(error).splitlines()[0] if str(error) else type(error).__name__
            hint = "pretrained weights come over the network" if init == "pretrained" else "see the model's page"
            raise UsageError(f"encoder {name!r} can't be made: {cause}", hint) from error
    return Encoder(model, name, in_chans)
