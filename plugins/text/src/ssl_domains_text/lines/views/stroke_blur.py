"""Gaussian blur of a line, with a width drawn for each sample."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views import Pointwise
from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import check_range, check_share

__all__ = ["StrokeBlur", "blurred_line"]

_REACH = 3.5  # standard deviations on either side


@dataclass(frozen=True)
class StrokeBlur(Pointwise):
    """Gaussian blur; beyond the line is paper, 0.

    Attributes:
        sigma: Range of the standard deviation, as a share of the height.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "blur"
    sigma: tuple[float, float] = (0.015, 0.045)
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "sigma", self.sigma, 0.001, 0.5)
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``sigma``, float32 ``[B]``, 0 where it isn't applied."""
        sigma = draws.between(*self.sigma)
        return {"sigma": torch.where(draws.happens(self.p), sigma, 0.0).float()}

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """Blur a batch ``[B, C, H, W]``."""
        if len(x.space) != 2:
            raise UsageError(f"{self.name}: an input with the sides {list(x.space)}", "it takes lines [B, 1, H, W]")
        height = x.space[0]
        return blurred_line(x.values, parameters["sigma"] * height, math.ceil(self.sigma[1] * height * _REACH))


def blurred_line(values: Tensor, sigma: Tensor, reach: int) -> Tensor:
    """Blur each line of ``[B, C, H, W]`` by its σ in pixels ``[B]``; σ = 0 keeps it. Beyond the border is 0.

    Args:
        values: The lines; their padding is 0.
        sigma: Standard deviations in pixels.
        reach: Pixels of the kernel on either side.
    """
    batch, channels, height, width = values.shape
    distance = torch.arange(-reach, reach + 1, device=values.device, dtype=values.dtype)
    weights = torch.exp(-0.5 * (distance / sigma.to(values.dtype).clamp(min=1e-3)[:, None]) ** 2)
    weights = (weights / weights.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    rows = values.reshape(1, batch * channels, height, width)
    rows = F.conv2d(rows, weights[:, None, :, None], padding=(reach, 0), groups=batch * channels)
    rows = F.conv2d(rows, weights[:, None, None, :], padding=(0, reach), groups=batch * channels)
    return rows.reshape(values.shape)
