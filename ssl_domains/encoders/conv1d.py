"""A small residual network for waveforms and series of several channels, ``conv1d``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Conv1d"]


class Conv1d(nn.Module):
    """A strided convolution and residual blocks along time; 0.28 M parameters with the widths given here.

    As in timm, ``forward_features`` returns ``[B, F, ceil(T / stride)]``; ``forward_head`` averages it to ``[B, F]``.
    The stride is the product of ``strides``: 64 time steps, which are 4 ms of a waveform at 16 kHz. Kernels are odd and
    padded by half, so an input may be as short as one time step. Use it inside a `MaskedEncoder`, so that the padding
    of a batch doesn't change the features.

    Args:
        in_chans: Channels ``C`` of the input ``[B, C, T]``.
        widths: Channels of the first convolution and of each block.
        strides: Strides of the first convolution and of each block.
    """

    def __init__(
        self,
        in_chans: int = 1,
        widths: Sequence[int] = (32, 64, 128, 128),
        strides: Sequence[int] = (4, 4, 2, 2),
    ) -> None:
        super().__init__()
        self.num_features = self.head_hidden_size = widths[-1]
        self.stem = _convolution(in_chans, widths[0], strides[0])
        self.blocks = nn.Sequential(
            *(
                _Block(before, after, stride)
                for before, after, stride in zip(widths, widths[1:], strides[1:], strict=False)
            )
        )

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Patterns of the parameter names of each stage, as in timm."""
        return {"stem": r"^stem", "blocks": r"^blocks\.(\d+)"}

    def forward_features(self, x: Tensor) -> Tensor:
        """``[B, C, T]`` to ``[B, F, ceil(T / stride)]``."""
        return torch.as_tensor(self.blocks(F.relu(self.stem(x))))

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Average over time; there is no classifier."""
        return x.mean(dim=2)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, C, T]`` to ``[B, F]``."""
        return self.forward_head(self.forward_features(x))


class _Block(nn.Module):
    """Residual block: two convolutions with BatchNorm, and a strided 1×1 convolution as shortcut (He et al. 2016)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = _convolution(before, after, stride)
        self.second = _convolution(after, after, 1)
        self.shortcut = nn.Sequential(nn.Conv1d(before, after, 1, stride, bias=False), nn.BatchNorm1d(after))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


def _convolution(before: int, after: int, stride: int) -> nn.Sequential:
    """A convolution and BatchNorm; the kernel has ``2 · stride + 1`` places, so that neighbouring windows overlap."""
    kernel = 2 * stride + 1
    return nn.Sequential(
        nn.Conv1d(before, after, kernel, stride, padding=kernel // 2, bias=False), nn.BatchNorm1d(after)
    )
