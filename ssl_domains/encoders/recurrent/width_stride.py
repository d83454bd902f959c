"""Smaller strides along the width of a convolutional network, so that its map has more places along a text line."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ssl_domains.encoders.masking.layer_kinds import layer_kind, layers

__all__ = ["limit_width_stride"]

_WIDTH = 1024  # of the example input, in pixels


def limit_width_stride(model: nn.Module, channels: int, height: int, most: int) -> None:
    """Change strides along the width, in place, so that the stride of the whole network is ``most`` pixels or less.

    A picture of a text line is low and wide. resnet18 has a place of its map for 32 pixels of the width, in which
    several letters stand. As in CRNN (Shi et al. 2017), the later layers keep their stride along the height and get
    the stride 1 along the width. Weights don't change, so those of pictures fit. A network that can't be run in this
    way stays as it is.

    Args:
        model: A network with ``forward_features``, as in timm.
        channels: Channels of its input.
        height: Height of its input in pixels.
        most: Largest stride of the whole network along the width.
    """

    def limit(layer: Any, inputs: tuple[Any, ...]) -> None:
        height_stride, width_stride = _pair(layer.stride)
        so_far = max(1, round(_WIDTH / inputs[0].shape[-1]))
        layer.stride = (height_stride, max(1, min(width_stride, most // so_far)))

    windows: list[Any] = [one for _, one in layers(model) if layer_kind(one) in ("convolution", "maximum", "average")]
    before = [layer.stride for layer in windows]
    handles = [layer.register_forward_pre_hook(limit) for layer in windows]
    weight = next(model.parameters())
    training = {module: module.training for module in model.modules()}
    network: Any = model.eval()
    try:
        with torch.no_grad():
            network.forward_features(torch.zeros(1, channels, height, _WIDTH).to(weight))
    except Exception:  # the masked encoder that is made next names the layer that doesn't fit, and why
        for layer, stride in zip(windows, before, strict=True):
            layer.stride = stride
    finally:
        for module, mode in training.items():
            module.training = mode
        for handle in handles:
            handle.remove()


def _pair(stride: Any) -> tuple[int, int]:
    return (int(stride[0]), int(stride[1])) if isinstance(stride, tuple | list) else (int(stride), int(stride))
