"""Raises and lowers bands of frequency, as another microphone, channel or distance does."""

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
from ssl_domains_audio.views.kernels import TAPS, filtered, kernels_of, valid_values

__all__ = ["BandFilter"]

_LOWEST = 1 / 40  # of half the rate: frequency of the lowest knot


@dataclass(frozen=True)
class BandFilter(Pointwise):
    """A filter with random gains at a few frequencies, which are interpolated between them, without delay.

    The frequencies (knots) lie at equal ratios between 1/80 and 1/2 of the rate; below the lowest, the gain is that of
    the lowest.

    Attributes:
        db: Largest gain and largest attenuation in dB.
        knots: Number of frequencies.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "band filter"
    db: float = 12.0
    knots: int = 6
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self.name, self.p)
        if not 0 <= self.db <= 80 or self.knots < 2:
            raise UsageError(f"{self.name}: db={self.db}, knots={self.knots}", "give 0 to 80 dB and at least 2 knots")

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``db``, float32 ``[B, knots]``; 0 where the step isn't applied."""
        used = draws.happens(self.p)[:, None]
        return {"db": torch.where(used, self.db * (2 * draws.uniform(self.knots) - 1), 0.0).float()}

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """Filter a batch ``[B, C, T]``."""
        between = _interpolation(self.knots).to(x.device)
        gains = 10 ** (parameters["db"] @ between / 20)
        return filtered(valid_values(x), kernels_of(gains))


def _interpolation(knots: int) -> Tensor:
    """Weights with which gains at the knots give gains at all frequencies, float32 ``[knots, TAPS // 2 + 1]``."""
    places = torch.logspace(torch.log10(torch.tensor(_LOWEST)).item(), 0.0, knots, dtype=torch.float64).log()
    bins = (torch.arange(TAPS // 2 + 1, dtype=torch.float64) / (TAPS // 2)).clamp(min=_LOWEST).log()
    distance = (bins[None] - places[:, None]).abs() / (places[1] - places[0])
    return (1 - distance).clamp(min=0).float()
