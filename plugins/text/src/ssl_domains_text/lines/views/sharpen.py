"""Sharpens a line: adds what a blur takes away."""

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
from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import check_range, check_share
from ssl_domains_text.lines.views.stroke_blur import blurred_line

__all__ = ["Sharpen"]


@dataclass(frozen=True)
class Sharpen(Pointwise):
    """clip(x + amount · (x − blur(x))) to [0, 1].

    Attributes:
        amount: Range of the amount.
        sigma: Standard deviation of the blur, as a share of the height.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "sharpen"
    amount: tuple[float, float] = (0.3, 1.5)
    sigma: float = 0.03
    p: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "amount", self.amount, 0.0, 10.0)
        check_range(self.name, "sigma", (self.sigma, self.sigma), 0.001, 0.5)
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``amount``, float32 ``[B]``, 0 where it isn't applied."""
        amount = draws.between(*self.amount)
        return {"amount": torch.where(draws.happens(self.p), amount, 0.0).float()}

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """Sharpen a batch ``[B, C, H, W]``."""
        if len(x.space) != 2:
            raise UsageError(f"{self.name}: an input with the sides {list(x.space)}", "it takes lines [B, 1, H, W]")
        sigma = self.sigma * x.space[0]
        blurred = blurred_line(x.values, torch.full_like(parameters["amount"], sigma), math.ceil(3.5 * sigma))
        amount = parameters["amount"].to(x.values.dtype).view(-1, 1, 1, 1)
        return torch.addcmul(x.values, amount, x.values - blurred).clamp(0, 1)
