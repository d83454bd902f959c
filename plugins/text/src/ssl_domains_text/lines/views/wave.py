"""Bends a line in waves, as an unsteady baseline does, and stretches and squeezes its characters by turns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import check_range, check_share
from ssl_domains_text.lines.views.warp import Warp

__all__ = ["Wave"]


@dataclass(frozen=True)
class Wave(Warp):
    """Moves pixels up and down, and left and right, by sine waves along the line.

    Attributes:
        upright: Largest movement up or down, as a share of the height.
        sideways: Largest movement to the left or right, as a share of the width.
        length: Range of the length of a wave, in heights of the line.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "wave"
    upright: float = 0.06
    sideways: float = 0.005
    length: tuple[float, float] = (1.5, 6.0)
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "upright", (0.0, self.upright), 0.0, 0.4)
        check_range(self.name, "sideways", (0.0, self.sideways), 0.0, 0.1)
        check_range(self.name, "length", self.length, 0.5, 1000.0)
        check_share(self.name, self.p)

    @property
    def most_shift(self) -> float:
        """Height of the wave along the line."""
        return self.sideways

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """For each direction: size (0 where it isn't applied), length and phase of the wave, float32 ``[B]``."""
        used = draws.happens(self.p)
        made = {}
        for name, most in (("upright", self.upright), ("sideways", self.sideways)):
            made[name] = torch.where(used, draws.between(0.0, most), 0.0).float()
            made[f"{name}_length"] = draws.between(*self.length).float()
            made[f"{name}_phase"] = draws.uniform()[:, 0].float()
        return made

    def moved(self, u: Tensor, v: Tensor, parameters: Mapping[str, Tensor], aspect: Tensor) -> tuple[Tensor, Tensor]:
        """Both waves run along the line; all rows of a column move alike."""

        def wave(name: str) -> Tensor:
            size, length, phase = (parameters[key].view(-1, 1, 1) for key in (name, f"{name}_length", f"{name}_phase"))
            turns = u.clamp(0, 1) * aspect / length + phase
            return size * torch.sin(2 * math.pi * turns)

        return wave("sideways"), wave("upright")
