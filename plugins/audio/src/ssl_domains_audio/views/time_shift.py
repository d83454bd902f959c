"""Rolls a signal in time: what leaves it at its end comes in at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views.draws import Draws
from ssl_domains.views.sequences.step import fraction, lengths_along, places_along, require_side, whole_number
from ssl_domains.views.steps.declared import Declared, check_range, check_share

__all__ = ["TimeShift"]


@dataclass(frozen=True)
class TimeShift(Declared):
    """Rolls the valid places of each sample along one side; further inputs of the samples are rolled with them.

    Attributes:
        share: Range of the shift, as a share of the sample's valid length.
        side: Number of the side, counted from 0 after the channels.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "shift"
    moves: ClassVar[bool] = True
    emitted: ClassVar[tuple[str, ...]] = ()
    share: tuple[float, float] = (0.0, 1.0)
    side: int = 0
    p: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "share", self.share, 0.0, 1.0)
        check_share(self.name, self.p)
        if self.side < 0:
            raise UsageError(f"{self.name}: side={self.side}", "sides are counted from 0 after the channels")

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``shift``, int64 ``[B]`` from `fraction`, 0 where the step isn't applied."""
        return {"shift": torch.where(draws.happens(self.p), fraction(draws, *self.share), 0)}

    def apply(
        self, inputs: tuple[Input, ...], parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[tuple[Input, ...], dict[str, Tensor]]:
        """Roll a batch."""
        first = inputs[0]
        require_side(self.name, first, self.side)
        length = lengths_along(first, self.side)[:, None]
        shift = whole_number(parameters["shift"], length[:, 0])[:, None]
        places = torch.arange(first.space[self.side], device=first.device)[None]
        index = torch.where(places < length, (places - shift) % length.clamp(min=1), places)
        return tuple(_taken(x, self.side, index) for x in inputs), {}


def _taken(x: Input, side: int, index: Tensor) -> Input:
    """The places ``index`` ``[B, length]`` of one side, validity included."""
    at = places_along(x, side, index)

    def moved(tensor: Tensor) -> Tensor:
        sides: list[Any] = list(tensor.shape)
        return tensor.gather(side + 2, at.expand(*sides[: side + 2], -1, *sides[side + 3 :]))

    return replace(x, values=moved(x.values), valid=None if x.valid is None else moved(x.valid))
