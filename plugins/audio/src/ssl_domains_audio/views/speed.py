"""Plays a signal faster or slower: duration and pitch change together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views.draws import Draws
from ssl_domains.views.sequences.step import lengths_along
from ssl_domains.views.steps.declared import Declared, check_range, check_share
from ssl_domains_audio.views.kernels import valid_values

__all__ = ["Speed"]

_BITS = 20  # places are whole numbers in units of 2^-20 samples, the same on every device
_REACH = 16  # samples that the interpolation reads on each side


@dataclass(frozen=True)
class Speed(Declared):
    """Resamples each signal by a factor; a sample of ``n`` places gets exactly ``round(n / factor)``.

    Interpolation by a windowed sinc of 32 samples. A faster signal is limited to the frequencies that its new length
    can hold.

    Attributes:
        factor: Range of the factor; 1.1 is 10 % faster and higher.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "speed"
    emitted: ClassVar[tuple[str, ...]] = ()
    factor: tuple[float, float] = (0.9, 1.1)
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "factor", self.factor, 0.25, 4.0)
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``factor``, int64 ``[B]`` in units of 2⁻²⁰; 1 where the step isn't applied."""
        one = 1 << _BITS
        factor = (draws.between(*self.factor) * one).round().to(torch.int64)
        return {"factor": torch.where(draws.happens(self.p), factor, one)}

    def apply(
        self, inputs: tuple[Input, ...], parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[tuple[Input, ...], dict[str, Tensor]]:
        """Resample a batch ``[B, C, T]``.

        Raises:
            UsageError: When the signals have one length for all, or there are further inputs of the samples.
        """
        (x, *further), factor = inputs, parameters["factor"]
        if len(x.space) != 1 or x.ragged != (0,) or further:
            cause = f"{self.name}: it changes the length of signals, and the input has the sides {list(x.space)}"
            raise UsageError(cause, "leave the step out for inputs of one length and for label maps")
        one = 1 << _BITS
        before = lengths_along(x, 0)
        after = torch.where(before > 0, ((before * one + factor // 2) // factor).clamp(min=1), 0)
        slowest = math.ceil(x.space[0] / self.factor[0]) + 1
        longest = max(1, int(after.max())) if x.device.type == "cpu" else slowest
        places = torch.arange(longest, device=x.device)[None] * factor[:, None]
        inside = (torch.arange(longest, device=x.device)[None] < after[:, None])[:, None]
        values = _between(valid_values(x), places, factor).masked_fill(~inside, x.pad)
        same = bool((factor == one).all()) and x.valid is None if x.device.type == "cpu" else False
        return (replace(x, values=values, valid=None if same else inside),), {}


def _between(signals: Tensor, places: Tensor, factor: Tensor) -> Tensor:
    """Values of ``[B, C, T]`` at places ``[B, n]`` in units of 2⁻²⁰ samples, with zeros around the signals."""
    whole = places >> _BITS
    rest = (places & ((1 << _BITS) - 1)).float() / (1 << _BITS)
    cutoff = (float(1 << _BITS) / factor.float()).clamp(max=1.0)[:, None]
    made = torch.zeros(*signals.shape[:2], places.shape[1], dtype=signals.dtype, device=signals.device)
    last = signals.shape[2] - 1
    for tap in range(1 - _REACH, _REACH + 1):
        index, distance = whole + tap, tap - rest
        window = torch.cos(distance / (2 * _REACH) * math.pi).square()
        weight = cutoff * torch.sinc(cutoff * distance) * window
        weight = weight.masked_fill((index < 0) | (index > last), 0.0)
        taken = signals.gather(2, index.clamp(0, last)[:, None].expand(-1, signals.shape[1], -1))
        made = torch.addcmul(made, taken, weight[:, None].to(signals.dtype))
    return made
