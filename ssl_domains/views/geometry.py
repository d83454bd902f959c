"""Steps of a recipe in a row that only move pixels: one interpolation for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from ssl_domains.views.steps import Geometric, ViewStep, grid, reflect, sample
from ssl_domains.views.steps.cut import Cut
from ssl_domains.views.steps.pictures import MOST_CHANNELS

__all__ = ["PlannedStep", "move", "places", "runs_of"]


@dataclass(frozen=True)
class PlannedStep:
    """A step with what it drew for a view.

    Attributes:
        step: The step.
        parameters: Its parameters ``[B]`` by name.
        columns: Values of the columns that it reads, float64 ``[B]`` by name.
    """

    step: ViewStep
    parameters: Mapping[str, Tensor]
    columns: Mapping[str, Tensor]

    @property
    def geometric(self) -> bool:
        """Whether it only moves pixels."""
        return isinstance(self.step, Geometric)

    def to(self, device: torch.device) -> PlannedStep:
        """The step with its numbers on a device."""
        return PlannedStep(self.step, _to(self.parameters, device), _to(self.columns, device))


def runs_of(planned: Sequence[PlannedStep], device: torch.device) -> Iterator[tuple[bool, list[PlannedStep]]]:
    """Neighbouring steps that are all geometric or all not, with their numbers on the device."""
    for geometric, run in groupby(planned, lambda one: one.geometric):
        yield geometric, [one.to(device) for one in run]


def move(images: Tensor, mask: Tensor | None, steps: Sequence[PlannedStep], size: int) -> tuple[Tensor, Tensor | None]:
    """Apply consecutive geometric steps as one interpolation, or on a CPU as one crop where that is the same.

    Args:
        images: float32 ``[B, C, S, S]``.
        mask: bool ``[B, 1, S, S]`` or None.
        steps: The steps, first to last, with their numbers on the device of the images.
        size: Side of the result in pixels.
    """
    if images.device.type == "cpu" and mask is None and images.shape[1] <= MOST_CHANNELS:
        cut: Cut | None = Cut.all_of(len(images), images.shape[-1])
        for one in steps:
            assert isinstance(one.step, Geometric)
            cut = None if cut is None else one.step.cut(cut, one.parameters)
        if cut is not None:
            return cut.enlarge(images, size), None
    x, y, inside = places(images.shape[-1], images.device, steps, size)
    return sample(images, mask, x, y, size=size, inside=inside)


def places(
    canvas: int, device: torch.device, steps: Sequence[PlannedStep], size: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Place of each pixel of a view in its picture, for consecutive geometric steps.

    The steps are followed backwards, from the last to the first.

    Args:
        canvas: Side of the pictures in pixels.
        device: Device of the result.
        steps: The steps, first to last, with their numbers on the device.
        size: Side of the view in pixels.

    Returns:
        x and y from −1 to 1, and a mask (bool), false at places outside the picture; None where no step shows such
        places.
    """
    x, y = grid(size, device)
    inside: Tensor | None = None
    for place, one in reversed(list(enumerate(steps))):
        assert isinstance(one.step, Geometric)
        before = x, y
        x, y = one.step.source(x, y, one.parameters, one.columns, canvas if place == 0 else size)
        if one.step.exposes:
            # Reflection is at the border of this step's input, which may be a crop of the canvas.
            x, y, shown = reflect(x, y, before)
            inside = shown if inside is None else inside & shown
    return x, y, inside


def _to(tensors: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    if device.type == "cpu":
        return dict(tensors)
    narrow = device.type == "mps"  # Apple's GPUs have no float64
    return {
        name: (tensor.float() if narrow and tensor.dtype == torch.float64 else tensor).to(device, non_blocking=True)
        for name, tensor in tensors.items()
    }
