"""Encoder of an unchanged timm model, for pictures of one size."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from timm.layers import Format
from torch import Tensor, nn

from ssl_domains.encoders.encoder import Encoder, Features
from ssl_domains.encoders.hugging_face.picture import TransformerPictureEncoder
from ssl_domains.encoders.map_shape import map_shape
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["TimmEncoder", "allow_other_sizes", "timm_width"]


class TimmEncoder(Encoder):
    """A timm model without its classifier, pooled by the model's head, so that the exported model has the same output.

    Validity doesn't change the features; it is only resized to the mask of the map. The preprocess has filled the
    padding of a picture (see decision 11). For ragged inputs use `MaskedEncoder`.

    Args:
        model: A timm model made with ``num_classes=0``.
        name: The architecture's name in timm.
        takes: The form of its input.
    """

    def __init__(self, model: nn.Module, name: str, takes: InputSpec) -> None:
        super().__init__(model, name, takes, timm_width(model))

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode ``values [B, C, H, W]`` in [0, 1] with their validity ``[B, 1, H, W]``."""
        model: Any = self.model
        tokens = model.forward_features(values)
        pooled = model.forward_head(tokens, pre_logits=True)
        features = self._as_map(tokens, values)
        mask = None
        if valid is not None:
            mask = F.adaptive_max_pool2d(valid.to(values.dtype), features.shape[-2:]) > 0
        return Features(pooled, features, mask)

    def _as_map(self, tokens: Tensor, values: Tensor) -> Tensor:
        model: Any = self.model
        if tokens.ndim == 4:
            # Window transformers such as Swin return channels last; other models return [B, F, h, w].
            return tokens if getattr(model, "output_fmt", "NCHW") == "NCHW" else tokens.permute(0, 3, 1, 2)
        patches = tokens[:, int(getattr(model, "num_prefix_tokens", 0)) :]
        height, width = model.patch_embed.dynamic_feat_size(values.shape[-2:])
        return patches.transpose(1, 2).reshape(len(patches), -1, height, width)


def allow_other_sizes(encoder: Encoder, size: int | None = None) -> None:
    """Let an encoder of pictures of one size embed pictures of another size too, for methods with multi-crop.

    A convolutional network takes any size. A ViT interpolates its position embeddings: its weights and their names stay
    the same, and so does its output for pictures of its own size.

    Args:
        encoder: The encoder, changed in place.
        size: Side of the other pictures in pixels; None for half the encoder's own side.

    Raises:
        UsageError: When the architecture takes one size only, or its patches don't divide the size.
    """
    if isinstance(encoder, TransformerPictureEncoder):
        side = size or (encoder.takes.space[0] or 2) // 2
        map_shape(encoder, (side, side))  # it interpolates by itself, or refuses the size
        return
    model: Any = encoder.model if isinstance(encoder, TimmEncoder) else None
    patches: Any = getattr(model, "patch_embed", None)
    if patches is None or getattr(patches, "img_size", None) is None:
        return
    if not hasattr(model, "dynamic_img_size"):
        cause = f"the encoder {encoder.name!r} takes pictures of one size only"
        raise UsageError(cause, "take a ViT or a convolutional network, or use --set method.local_views=0")
    side = patches.img_size[0] // 2 if size is None else size
    if side % patches.patch_size[0] or not side:
        cause = f"local crops of {side} pixels are no multiple of the encoder's patches of {patches.patch_size[0]}"
        raise UsageError(
            cause, f"use --set method.local_size={max(1, side // patches.patch_size[0]) * patches.patch_size[0]}"
        )
    if not model.dynamic_img_size:
        model.dynamic_img_size = True
        patches.strict_img_size, patches.flatten, patches.output_fmt = False, False, Format.NHWC


def timm_width(model: nn.Module) -> int:
    """Width of a timm model's pooled features, after the head, which in some models is wider than the map."""
    return int(getattr(model, "head_hidden_size", None) or getattr(model, "num_features"))  # noqa: B009 (for mypy)
