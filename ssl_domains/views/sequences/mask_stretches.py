"""Set stretches of a signal to a constant value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views.draws import Draws
from ssl_domains.views.sequences.step import (
    Pointwise,
    fraction,
    lengths_along,
    places_along,
    require_side,
    whole_number,
)
from ssl_domains.views.steps.declared import check_range, check_share

__all__ = ["MaskStretches"]


@dataclass(frozen=True)
class MaskStretches(Pointwise):
    """Replace stretches along one side by ``fill``, in all channels (as in SpecAugment, Park et al. 2019).

    The places stay valid: the encoder reads the constant. A stretch lies inside the valid places of its sample.

    Attributes:
        share: Range of the length of a stretch, as a share of the sample's valid length.
        count: Number of stretches; they may overlap.
        side: Number of the side, counted from 0 after the channels.
        fill: Value in the stretches; 0 is the mean of a standardised signal.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "mask"
    share: tuple[float, float] = (0.0, 0.1)
    count: int = 2
    side: int = 0
    fill: float = 0.0
    p: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "share", self.share, 0.0, 1.0)
        check_share(self.name, self.p)
        if self.count < 1 or self.side < 0:
            raise UsageError(
                f"{self.name}: count={self.count}, side={self.side}", "give a count from 1 and a side from 0"
            )

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``length`` and ``start``, int64 ``[B, count]`` from `fraction`; a length of 0 where it isn't applied."""
        used = draws.happens(self.p)[:, None]
        length = torch.stack([fraction(draws, *self.share) for _ in range(self.count)], dim=1)
        start = torch.stack([fraction(draws) for _ in range(self.count)], dim=1)
        return {"length": torch.where(used, length, 0), "start": start}

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """Mask a batch."""
        require_side(self.name, x, self.side)
        valid = lengths_along(x, self.side)[:, None]
        length = whole_number(parameters["length"], valid)
        start = whole_number(parameters["start"], valid - length + 1)
        places = torch.arange(x.space[self.side], device=x.device)[None, None, :]
        masked = ((places >= start[:, :, None]) & (places < (start + length)[:, :, None])).any(dim=1)
        return x.values.masked_fill(places_along(x, self.side, masked), self.fill)
