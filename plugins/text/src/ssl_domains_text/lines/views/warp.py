"""Base class of the steps that move the pixels of a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views.sequences.step import lengths_along
from ssl_domains.views.steps.declared import Declared

__all__ = ["Warp"]


@dataclass(frozen=True)
class Warp(Declared):
    """Moves pixels by a smooth field; size and validity stay. A subclass implements `moved` and `most_shift`.

    Values between pixels are interpolated linearly; beyond the line is paper, 0. Further inputs move with the samples;
    those of whole numbers take the nearest pixel.
    """

    emitted: ClassVar[tuple[str, ...]] = ()

    @property
    def most_shift(self) -> float:
        """Largest horizontal movement, as a share of the valid width."""
        raise TypeError(f"{type(self).__name__} has to say how far it moves")

    def moved(self, u: Tensor, v: Tensor, parameters: Mapping[str, Tensor], aspect: Tensor) -> tuple[Tensor, Tensor]:
        """Where each pixel of the view comes from, relative to its own place.

        Args:
            u: Place along the valid width, from 0 to 1 (beyond it in the padding), float32 ``[B, 1, W]``.
            v: Place along the height, from 0 at the top to 1, float32 ``[1, H, 1]``.
            parameters: Returned by `parameters`, on the device.
            aspect: Valid width over height, float32 ``[B, 1, 1]``.

        Returns:
            Horizontal movement as a share of the valid width, and vertical one as a share of the height; each can be
            broadcast to ``[B, H, W]``.
        """
        raise TypeError(f"{type(self).__name__} has to say how it moves pixels")

    def apply(
        self, inputs: tuple[Input, ...], parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[tuple[Input, ...], dict[str, Tensor]]:
        """Move the pixels of a batch ``[B, C, H, W]`` and of further inputs of the same sides."""
        first = inputs[0]
        if len(first.space) != 2:
            raise UsageError(f"{self.name}: an input with the sides {list(first.space)}", "it takes lines [B, 1, H, W]")
        height, width = first.space
        valid = lengths_along(first, 1)
        across = valid.clamp(min=1).to(torch.float32).view(-1, 1, 1)
        u = (torch.arange(width, device=first.device) + 0.5).view(1, 1, -1) / across
        v = (torch.arange(height, device=first.device) + 0.5).view(1, -1, 1) / height
        dx, dy = self.moved(u, v, parameters, across / height)
        # On a CPU, lines that don't move are left out; on an accelerator, finding them would wait for the device.
        moving = _moving(dx, dy) if first.device.type == "cpu" else None
        shape = (len(first), height, width)
        # Movements stay apart from places: their sum would lose digits in wide lines.
        dx, dy = (dx * across).expand(shape), (dy * height).expand(shape)
        if moving is None or len(moving) == len(first):
            return tuple(_sampled(x, valid, dx, dy) for x in inputs), {}
        return tuple(
            _put(x, moving, _sampled(x.take(moving), valid[moving], dx[moving], dy[moving])) for x in inputs
        ), {}


def _moving(dx: Tensor, dy: Tensor) -> Tensor:
    """Numbers of the lines of which some pixel moves, int64."""
    return torch.nonzero((dx != 0).flatten(1).any(dim=1) | (dy != 0).flatten(1).any(dim=1))[:, 0]


def _put(x: Input, rows: Tensor, made: Input) -> Input:
    """The input with the values of some lines replaced."""
    return replace(x, values=x.values.index_copy(0, rows, made.values))


def _sampled(x: Input, valid: Tensor, dx: Tensor, dy: Tensor) -> Input:
    """The values at ``x + dx``, ``y + dy``, in pixels; float32 ``[B, H, W]`` each."""
    height, width = x.space
    columns = torch.arange(width, device=x.device).view(1, 1, -1)
    inside = columns < valid.view(-1, 1, 1)
    # A frame of two zeros stands for the paper around the line: places outside need no check of their own.
    source = F.pad(torch.where(inside[:, None], x.values, torch.zeros_like(x.values)), (2, 2, 2, 2)).flatten(2)
    smooth = x.values.is_floating_point()
    left, top = (dx.floor(), dy.floor()) if smooth else (dx.round(), dy.round())
    at_x = (columns + left.to(torch.int64) + 2).clamp(0, width + 2)
    at_y = (torch.arange(height, device=x.device).view(1, -1, 1) + top.to(torch.int64) + 2).clamp(0, height + 2)
    index = (at_y * (width + 4) + at_x).flatten(1)

    def taken(offset: int) -> Tensor:
        return source.gather(2, (index + offset)[:, None].expand(-1, source.shape[1], -1)).view_as(x.values)

    if smooth:
        right, low = (dx - left)[:, None].to(x.values.dtype), (dy - top)[:, None].to(x.values.dtype)
        upper = torch.lerp(taken(0), taken(1), right)
        values = torch.lerp(upper, torch.lerp(taken(width + 4), taken(width + 5), right), low)
    else:
        values = taken(0)
    return replace(x, values=torch.where(inside[:, None], values, torch.full_like(values, x.pad)))
