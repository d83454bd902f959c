"""Random gain and offset of a signal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views.draws import Draws
from ssl_domains.views.sequences.step import Pointwise
from ssl_domains.views.steps.declared import check_range, check_share

__all__ = ["Gain"]


@dataclass(frozen=True)
class Gain(Pointwise):
    """gain · x + offset, with one gain and one offset for each sample, or for each of its channels.

    Attributes:
        gain: Range of the gain, above 0; drawn on a log scale.
        offset: The offset is drawn from ±offset, in the unit of the input.
        per_channel: Whether each channel has its own gain and offset.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "gain"
    gain: tuple[float, float] = (0.8, 1.25)
    offset: float = 0.0
    per_channel: bool = False
    p: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "gain", self.gain, 1e-6, 1e6)
        check_share(self.name, self.p)
        if not 0 <= self.offset < math.inf:
            raise UsageError(f"{self.name}: offset={self.offset}", "give a number from 0")

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``gain`` and ``offset``, float32 ``[B, C]`` or ``[B, 1]``; 1 and 0 where the step isn't applied."""
        used = draws.happens(self.p)[:, None]
        count = channels if self.per_channel else 1
        low, high = (math.log(end) for end in self.gain)
        gain = (low + (high - low) * draws.uniform(count)).exp()
        offset = self.offset * (2 * draws.uniform(count) - 1)
        return {"gain": torch.where(used, gain, 1.0).float(), "offset": torch.where(used, offset, 0.0).float()}

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """Gain and offset of a batch."""
        gain, offset = (
            parameters[key].to(x.values.dtype).reshape(len(x), -1, *[1] * len(x.space)) for key in ("gain", "offset")
        )
        return torch.addcmul(offset, x.values, gain)
