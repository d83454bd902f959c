"""Moves a spectrogram up or down by a few bands, as a shorter or longer vocal tract does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views import Pointwise
from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import check_share

__all__ = ["MelShift"]


@dataclass(frozen=True)
class MelShift(Pointwise):
    """Shifts the bands by a whole number from ``-bands`` to ``bands``; bands that come in hold the floor.

    On the mel scale a shift is nearly a stretch of all frequencies by one factor.

    Attributes:
        bands: Largest shift.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "mel shift"
    bands: int = 3
    p: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self.name, self.p)
        if self.bands < 0:
            raise UsageError(f"{self.name}: bands={self.bands}", "give a number of bands from 0")

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``shift``, int64 ``[B]``; above 0 upwards."""
        shift = (draws.uniform()[:, 0] * (2 * self.bands + 1)).floor().to(torch.int64) - self.bands
        return {"shift": torch.where(draws.happens(self.p), shift, 0)}

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """Shift a batch ``[B, C, bands, frames]``."""
        if len(x.space) != 2:
            cause = f"{self.name}: an input with the sides {list(x.space)}"
            raise UsageError(cause, "it takes spectrograms: put it behind the step log-mel")
        index = torch.arange(x.space[0], device=x.device)[None] - parameters["shift"][:, None]
        outside = ((index < 0) | (index >= x.space[0]))[:, None, :, None]
        index = index.clamp(0, x.space[0] - 1)[:, None, :, None].expand_as(x.values)
        return x.values.gather(2, index).masked_fill(outside, x.pad)
