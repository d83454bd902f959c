"""The sound of a room, by a made-up impulse response: the direct sound and an exponentially decaying tail of noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views import Pointwise
from ssl_domains.views.draws import Draws, normals
from ssl_domains.views.steps.declared import check_range, check_share
from ssl_domains_audio.views.kernels import valid_values

__all__ = ["Reverberation"]

_DECAY = math.log(1000)  # the amplitude falls by 60 dB within the reverberation time


@dataclass(frozen=True)
class Reverberation(Pointwise):
    """Convolves each signal with a made-up impulse response of energy 1; the length stays, the end of the tail is cut.

    Attributes:
        rate: Sampling rate in Hz.
        seconds: Range of the reverberation time, in which the tail falls by 60 dB.
        direct_db: Range of the ratio of direct sound to tail, in dB of energy.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "reverberation"
    rate: int = 16_000
    seconds: tuple[float, float] = (0.1, 0.5)
    direct_db: tuple[float, float] = (0.0, 15.0)
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "seconds", self.seconds, 1e-3, 10.0)
        check_range(self.name, "direct_db", self.direct_db, -40.0, 60.0)
        check_share(self.name, self.p)
        if self.rate < 1:
            raise UsageError(f"{self.name}: rate={self.rate}", "give the sampling rate in Hz")

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``seconds`` and ``tail``, the energy of the tail in that of the direct sound (0 where it isn't applied)."""
        seconds = draws.between(*self.seconds).float()
        tail = 10 ** (-draws.between(*self.direct_db) / 10)
        return {
            "seconds": seconds, "tail": torch.where(draws.happens(self.p), tail, 0.0).float(), "key": draws.keys(),
        }  # fmt: skip

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """Convolve a batch ``[B, C, T]``."""
        signals, response = valid_values(x).float(), self._responses(parameters)[:, None]
        size = signals.shape[2] + response.shape[2] - 1
        product = torch.fft.rfft(signals, n=size) * torch.fft.rfft(response, n=size)
        made: Tensor = torch.fft.irfft(product, n=size)[..., : signals.shape[2]]
        return made.to(x.values.dtype)

    def _responses(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """Impulse responses of energy 1, float32 ``[B, samples]``."""
        samples = max(2, math.ceil(self.seconds[1] * self.rate))
        time = torch.arange(1, samples, device=parameters["key"].device) / self.rate
        tail = normals(parameters["key"], (samples - 1,)) * (-_DECAY * time / parameters["seconds"][:, None]).exp()
        tail = tail * (parameters["tail"] / tail.square().sum(dim=1).clamp(min=1e-12)).sqrt()[:, None]
        response = torch.cat([torch.ones_like(tail[:, :1]), tail], dim=1)
        return response / response.square().sum(dim=1, keepdim=True).sqrt()
