"""Masks the layers of a network: hooks that keep padding out of convolutions, pooling and BatchNorm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ssl_domains.encoders.masking.layer_kinds import layer_kind, strides
from ssl_domains.encoders.masking.valid_places import ValidPlaces

__all__ = ["Masking"]


class Masking:
    """Masks the layers of one network by hooks, which are active only within `during`.

    Args:
        layers: The layers, each of a known kind; see `layer_kind`.
        sides: Numbers of the ragged sides.
    """

    def __init__(self, layers: Iterable[nn.Module], sides: Sequence[int]) -> None:
        self.sides = tuple(sides)
        self.places: ValidPlaces | None = None
        for layer in layers:
            kind = layer_kind(layer)
            hooks: _MaskedWindow | _MaskedBatchNorm
            if kind in ("convolution", "maximum", "average"):
                hooks = _MaskedWindow(self, -torch.inf if kind == "maximum" else 0.0, strides(layer, self.sides))
            elif kind == "batch norm":
                hooks = _MaskedBatchNorm(self)
            else:
                continue
            layer.register_forward_pre_hook(hooks.before)
            layer.register_forward_hook(hooks.after)

    @contextmanager
    def during(self, places: ValidPlaces) -> Iterator[None]:
        """Mask the layers during the forward pass of a batch with these valid places."""
        self.places = places
        try:
            yield
        finally:
            self.places = None


class _MaskedWindow:
    """Hooks of a convolution or pooling layer: replace padding in the input, compute valid lengths of the output."""

    def __init__(self, masking: Masking, fill: float, layer_strides: tuple[int, ...]) -> None:
        self.masking = masking
        self.fill = fill
        self.strides = layer_strides

    def before(self, layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        places = self.masking.places
        if places is None:
            return inputs
        # Filled instead of multiplied by 0, which would keep NaN.
        return (inputs[0].masked_fill(places.padding(inputs[0].shape[2:]), self.fill), *inputs[1:])

    def after(self, layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        places = self.masking.places
        if places is None:
            return output
        places.follow(inputs[0].shape[2:], output.shape[2:], self.strides)
        if self.fill:  # a maximum over padding alone is −∞, which later layers would turn into NaN
            return output.masked_fill(places.padding(output.shape[2:]), 0.0)
        return output


class _MaskedBatchNorm:
    """Hooks of a BatchNorm layer: in training its input is only the valid places, as a batch of points."""

    def __init__(self, masking: Masking) -> None:
        self.masking = masking
        self.shape: torch.Size | None = None
        self.contiguous = False

    def before(self, layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        places = self.masking.places
        self.shape = None
        if places is None or not (layer.training or getattr(layer, "running_mean", None) is None):
            return inputs
        x: Tensor = inputs[0]
        index = places.index(x.shape[2:])
        points = x.movedim(1, -1).reshape(-1, x.shape[1])
        if len(index) == len(points):
            return inputs
        self.shape, self.contiguous = x.shape, x.is_contiguous()
        ones = [1] * (x.ndim - 2)
        return (points[index].view(len(index), x.shape[1], *ones), *inputs[1:])

    def after(self, layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        places, shape = self.masking.places, self.shape
        if places is None or shape is None:
            return output
        self.shape = None
        batch, channels, *size = shape
        points = output.new_zeros((batch * torch.Size(size).numel(), channels))
        points = points.index_copy(0, places.index(size), output.flatten(1))
        values = points.view(batch, *size, channels).movedim(-1, 1)
        # In the memory order that it came in: on a CPU the layers behind it take up to twice as long in another.
        return values.contiguous() if self.contiguous else values
