"""Segmentation heads on frozen maps: a 1×1 convolution, and a small DeepLab decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["ConvHead", "DeepLabHead", "DenseHead"]


class DenseHead(Protocol):
    """Settings of a segmentation head, from which its module is built."""

    @property
    def lr(self) -> tuple[float, ...]:
        """Default grid of peak learning rates."""
        ...

    @property
    def name(self) -> str:
        """Name in tables."""
        ...

    def build(self, widths: Sequence[int], classes: int, size: int) -> nn.Module:
        """Build a module from standardised maps to logits ``[B, classes, size, size]``.

        The maps are ``[B, F_l, h_l, w_l]``, from fine to coarse.

        Args:
            widths: Channels ``F_l`` of each level.
            classes: Number of output channels, the background included.
            size: Side of the output in pixels.
        """
        ...


class _PixelLinear(nn.Module):
    """A 1×1 convolution of all levels, upsampled to one size and concatenated (the hypercolumn).

    It is computed level by level: convolve, upsample, sum. Bilinear upsampling and a 1×1 convolution commute, so the
    result is the same, with much less memory.
    """

    def __init__(self, widths: Sequence[int], classes: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.levels = nn.ModuleList([nn.Conv2d(width, classes, 1, bias=False) for width in widths])
        self.bias = nn.Parameter(torch.zeros(classes))
        for level in self.levels:
            nn.init.zeros_(level.weight)  # type: ignore[arg-type]  # the start hardly matters for a linear head

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        total = self.bias[None, :, None, None]
        for level, one in zip(self.levels, maps, strict=True):
            total = total + _resize(level(one), self.size)
        return total


class ConvHead:
    """One 1×1 convolution of all levels: a linear classifier at each pixel."""

    name = "1×1"
    lr: tuple[float, ...] = (0.03, 0.1, 0.3)

    def build(self, widths: Sequence[int], classes: int, size: int) -> nn.Module:
        """See `DenseHead.build`."""
        return _PixelLinear(widths, classes, size)


class _Aspp(nn.Module):
    def __init__(self, widths: Sequence[int], classes: int, size: int, hidden: int, rates: Sequence[int]) -> None:
        super().__init__()
        self.size = size
        self.coarse, self.fine = min(2, len(widths) - 1), min(1, max(0, len(widths) - 2))
        self.project = nn.ModuleList([nn.Conv2d(width, hidden, 1) for width in widths])
        self.branches = nn.ModuleList(
            [nn.Conv2d(hidden, hidden, 1), *(nn.Conv2d(hidden, hidden, 3, padding=r, dilation=r) for r in rates)]
        )
        self.pooled = nn.Conv2d(hidden, hidden, 1)
        self.norm = nn.GroupNorm(4, hidden)
        self.fuse = nn.Conv2d(hidden * (len(rates) + 2), hidden, 1)
        self.low = nn.Conv2d(widths[self.fine], hidden, 1)
        self.decode = nn.Sequential(nn.GroupNorm(4, hidden), nn.ReLU(), nn.Conv2d(hidden, classes, 1))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        side = maps[self.coarse].shape[-1]
        levels = [_resize(project(one), side) for project, one in zip(self.project, maps, strict=True)]
        x = F.relu(self.norm(torch.stack(levels).sum(dim=0)))
        parts = [branch(x) for branch in self.branches]
        parts.append(self.pooled(x.mean(dim=(2, 3), keepdim=True)).expand_as(x))
        fused = self.fuse(F.relu(torch.cat(parts, dim=1)))
        low = self.low(maps[self.fine])
        return _resize(self.decode(_resize(fused, low.shape[-1]) + low), self.size)


class DeepLabHead:
    """Atrous spatial pyramid pooling, and a decoder that also reads a finer map.

    A small version of Chen et al. 2018, Encoder-Decoder with Atrous Separable Convolution (DeepLab v3+). All levels are
    projected and summed at the resolution of the third finest one, where parallel dilated convolutions and image
    pooling are applied. The decoder works at the resolution of the second finest level. GroupNorm replaces BatchNorm.

    Args:
        hidden: Channels; a multiple of 4.
        rates: Dilations of the 3×3 branches.
    """

    name = "DeepLab"
    lr: tuple[float, ...] = (0.003, 0.01)

    def __init__(self, hidden: int = 32, rates: Sequence[int] = (1, 2, 4)) -> None:
        self.hidden = hidden
        self.rates = tuple(rates)

    def build(self, widths: Sequence[int], classes: int, size: int) -> nn.Module:
        """See `DenseHead.build`."""
        return _Aspp(widths, classes, size, self.hidden, self.rates)


def _resize(x: Tensor, side: int) -> Tensor:
    if x.shape[-1] == side:
        return x
    if x.shape[-1] > side:
        return F.adaptive_avg_pool2d(x, side)
    return F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)
