"""Noise at a signal-to-noise ratio, white or coloured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.inputs import Input
from ssl_domains.views import Pointwise
from ssl_domains.views.draws import Draws, normals, spread
from ssl_domains.views.steps.declared import check_range, check_share
from ssl_domains_audio.views.kernels import TAPS, filtered, kernels_of, level_of

__all__ = ["NoiseAtSnr"]


@dataclass(frozen=True)
class NoiseAtSnr(Pointwise):
    """Adds Gaussian noise whose level is a given number of decibels below that of the sample.

    A silent sample stays silent. The noise at a place doesn't depend on the length of the batch.

    Attributes:
        snr_db: Range of the ratio of the levels in dB.
        colour: Range of the exponent ``a`` of the noise's power, which falls with frequency as ``1 / f^a``: 0 is
            white, 1 pink, 2 brown noise. Below the lowest frequency of the filter it is flat.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "noise"
    snr_db: tuple[float, float] = (15.0, 30.0)
    colour: tuple[float, float] = (0.0, 0.0)
    p: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "snr_db", self.snr_db, -60.0, 120.0)
        check_range(self.name, "colour", self.colour, -3.0, 3.0)
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``ratio``, the noise's share of the amplitude, 0 where it isn't applied; ``colour``, and ``key``."""
        ratio = 10 ** (-draws.between(*self.snr_db) / 20)
        colour = draws.between(*self.colour).float()
        return {
            "ratio": torch.where(draws.happens(self.p), ratio, 0.0).float(), "colour": colour, "key": draws.keys(),
        }  # fmt: skip

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """Add noise to a batch ``[B, C, T]``."""
        samples, channels, length = x.values.shape
        keys = spread(parameters["key"], (channels,)).flatten()
        # Half a kernel more on both sides, so that the filtered noise has the same level at the ends.
        more = 0 if self.colour == (0.0, 0.0) else TAPS // 2
        noise = normals(keys, (length + 2 * more,)).view(samples, channels, -1)
        if more:
            noise = filtered(noise, _coloured(parameters["colour"]))[..., more : more + length]
        sigma = level_of(x) * parameters["ratio"]
        return torch.addcmul(x.values, noise.to(x.values.dtype), sigma.to(x.values.dtype).view(-1, 1, 1))


def _coloured(exponents: Tensor) -> Tensor:
    """Kernels that give white noise the power ``1 / f^a`` and keep its level, ``[B, TAPS + 1]``."""
    steps = torch.arange(TAPS // 2 + 1, device=exponents.device).clamp(min=1)
    kernels = kernels_of(steps[None] ** (-exponents[:, None] / 2))
    return kernels / kernels.square().sum(dim=1, keepdim=True).sqrt()
