"""Protocol of an augmentation step for inputs of any number of sides, and the base class of the built-in ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import Declared

__all__ = [
    "BITS",
    "Pointwise",
    "SequenceStep",
    "fraction",
    "lengths_along",
    "places_along",
    "require_side",
    "whole_number",
]

Applied = tuple[tuple[Input, ...], dict[str, Tensor]]

BITS = 30
"""Bits of a random fraction. Lengths below 2³³ times a fraction fit into int64, so no step needs float64."""


@runtime_checkable
class SequenceStep(Protocol):
    """One augmentation step: stateless, picklable, for any batch size and any number of sides.

    The recipe calls, for each view: ``parameters``, then ``apply``. A step must not draw random numbers anywhere else,
    and must not read another sample of the batch, so that views depend on (sample, seed, step, slot, view) alone.

    May also have ``flags(x)``: bool ``[B]`` by name on the device of the input, for samples after the step of which the
    number is measured and warned of, such as ``{"silent": …}``; and ``moves``, see `ViewStep`.

    Attributes:
        name: Short, lower case; part of the key of the step's random numbers.
        reason: Why this domain uses it, in one sentence for the report.
        columns: Numeric columns of the table that it reads for each sample; missing values are NaN.
        emitted: Names of the numbers that it records with the view.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def emitted(self) -> tuple[str, ...]: ...  # noqa: D102

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """Draw the random parameters of each sample: CPU tensors ``[B, …]`` (float32, int64 or bool) by name.

        Args:
            draws: Random numbers of this step, for B slots.
            channels: Channels of the input.
        """
        ...

    def apply(
        self, inputs: tuple[Input, ...], parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> Applied:
        """Change a batch; tensors that come in are not to be changed in place.

        Args:
            inputs: The samples; then further inputs of the same samples, which only move (a crop) and never change in
                value.
            parameters: Returned by `parameters`, on the device of the inputs.
            columns: float64 ``[B]`` by name, on the CPU.

        Returns:
            The inputs after the step, and its emitted numbers: float64 ``[B]`` on the CPU by name.
        """
        ...

    def to_dict(self) -> dict[str, object]:
        """Name, reason and settings, JSON values only."""
        ...


@dataclass(frozen=True)
class Pointwise(Declared):
    """Base class of steps that change values in place of the samples: a subclass implements `change`."""

    emitted: ClassVar[tuple[str, ...]] = ()

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """The new values ``[B, C, *space]``; those of invalid places are not used."""
        raise TypeError(f"{type(self).__name__} has to say how it changes values")

    def apply(
        self, inputs: tuple[Input, ...], parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> Applied:
        """Change the values of the samples at their valid places; further inputs stay as they are."""
        first, *further = inputs
        values = self.change(first, parameters)
        if first.valid is not None:
            values = values.masked_fill(~first.valid, first.pad)
        return (replace(first, values=values), *further), {}


def fraction(draws: Draws, low: float = 0.0, high: float = 1.0) -> Tensor:
    """A random fraction of each slot from [low, high], as int64 ``[B]`` in units of 2⁻³⁰.

    Whole numbers give the same places on every device, also on those without float64.
    """
    return (draws.between(low, high) * (1 << BITS)).to(torch.int64)


def whole_number(share: Tensor, number: Tensor | int) -> Tensor:
    """``floor(share · number)`` in int64, for a share from `fraction`."""
    return (share * number) >> BITS


def lengths_along(x: Input, side: int) -> Tensor:
    """Valid length of each sample along a side, int64 ``[B]`` on the device of the input.

    It ends behind the last valid place; invalid places before it count.
    """
    size = x.space[side]
    if x.valid is None:
        return torch.full((len(x),), size, device=x.device)
    other = [axis for axis in range(1, x.valid.ndim) if axis != side + 2]
    some = x.valid.any(dim=other)
    return (some * torch.arange(1, size + 1, device=x.device)).amax(dim=1)


def places_along(x: Input, side: int, mask: Tensor) -> Tensor:
    """``[B, length]`` of one side reshaped so that it broadcasts to ``[B, C, *space]``."""
    shape = [1] * x.values.ndim
    shape[0], shape[2 + side] = mask.shape
    return mask.view(shape)


def require_side(step: str, x: Input, side: int) -> None:
    """Raise `UsageError` unless the input has this side."""
    if not 0 <= side < len(x.space):
        cause = f"{step}: side={side} of an input with {len(x.space)} sides"
        raise UsageError(cause, "sides are counted from 0 after the channels; a waveform has side 0")
