"""Gaussian noise on a signal, independent at each place and channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.inputs import Input
from ssl_domains.views.draws import Draws, normals, spread
from ssl_domains.views.sequences.step import Pointwise
from ssl_domains.views.steps.declared import check_range, check_share

__all__ = ["AddNoise"]


@dataclass(frozen=True)
class AddNoise(Pointwise):
    """x + σ·n with standard normal n, the same on every device and for every padding of the batch.

    Attributes:
        sigma: Range of the standard deviation, in the unit of the input.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "noise"
    sigma: tuple[float, float] = (0.0, 0.1)
    p: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "sigma", self.sigma, 0.0, 1e6)
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``sigma``, float32, 0 where the step isn't applied, and ``key``, int64."""
        sigma = draws.between(*self.sigma)
        return {"sigma": torch.where(draws.happens(self.p), sigma, 0.0).float(), "key": draws.keys()}

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """Add noise to a batch; it is generated on the batch's device from ``key``.

        Every line along the last side has a key of its own, made from the numbers of its channel and places, so that
        the noise at a place doesn't depend on the lengths of the padded sides.
        """
        shape = x.values.shape
        noise = normals(spread(parameters["key"], shape[1:-1]).flatten(), shape[-1:]).view(shape)
        sigma = parameters["sigma"].view(-1, *[1] * (len(shape) - 1))
        return torch.addcmul(x.values, noise.to(x.values.dtype), sigma.to(x.values.dtype))
