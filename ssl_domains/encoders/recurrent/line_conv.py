"""The convolutional part of ``small_crnn``: three layers for pictures of text lines."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["LineConv"]

_WIDTHS, _STRIDES = (32, 64, 128), ((2, 2), (2, 2), (2, 1))


class LineConv(nn.Module):
    """Three 3×3 convolutions with BatchNorm and ReLU, of stride 8 along the height and 4 along the width; 0.09 M.

    Args:
        in_chans: Channels of the input ``[B, C, H, W]``.
    """

    def __init__(self, in_chans: int = 1) -> None:
        super().__init__()
        self.num_features = self.head_hidden_size = _WIDTHS[-1]
        self.stages = nn.Sequential()
        for before, after, stride in zip((in_chans, *_WIDTHS), _WIDTHS, _STRIDES, strict=False):
            convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
            self.stages.append(nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)))

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Patterns of the parameter names of each stage, as in timm."""
        return {"blocks": r"^stages\.(\d+)"}

    def forward_features(self, x: Tensor) -> Tensor:
        """``[B, C, H, W]`` to ``[B, 128, ceil(H / 8), ceil(W / 4)]``."""
        return torch.as_tensor(self.stages(x))

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Average over the map; there is no classifier."""
        return x.mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """``[B, C, H, W]`` to ``[B, 128]``."""
        return self.forward_head(self.forward_features(x))
