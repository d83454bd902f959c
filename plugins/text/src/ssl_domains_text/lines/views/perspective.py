"""Moves the four corners of a line a little, as another angle of camera or hand does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import check_range, check_share
from ssl_domains_text.lines.views.warp import Warp

__all__ = ["Perspective"]


@dataclass(frozen=True)
class Perspective(Warp):
    """Moves each corner by a random amount, and what lies between by linear interpolation.

    It turns, slants and widens a line, as small rotations, shears and perspectives do.

    Attributes:
        upright: Largest movement of a corner up or down, as a share of the height.
        sideways: Largest movement of a corner to the left or right, as a share of the width.
        p: Probability that the step is applied to a sample.
    """

    name: ClassVar[str] = "perspective"
    upright: float = 0.08
    sideways: float = 0.005
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "upright", (0.0, self.upright), 0.0, 0.4)
        check_range(self.name, "sideways", (0.0, self.sideways), 0.0, 0.4)
        check_share(self.name, self.p)

    @property
    def most_shift(self) -> float:
        """No pixel moves further than a corner."""
        return self.sideways

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``sideways`` and ``upright`` of the corners top left, top right, bottom left, bottom right, ``[B, 4]``."""
        used = draws.happens(self.p)[:, None]
        return {
            name: torch.where(used, most * (2 * draws.uniform(4) - 1), 0.0).float()
            for name, most in (("sideways", self.sideways), ("upright", self.upright))
        }

    def moved(self, u: Tensor, v: Tensor, parameters: Mapping[str, Tensor], aspect: Tensor) -> tuple[Tensor, Tensor]:
        """Movements of the corners, interpolated along both sides."""
        u = u.clamp(0, 1)
        return _between(parameters["sideways"], u, v), _between(parameters["upright"], u, v)


def _between(corners: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """``[B, 4]`` at the corners as ``[B, H, W]``."""
    top_left, top_right, low_left, low_right = (corners[:, k].view(-1, 1, 1) for k in range(4))
    top = top_left + u * (top_right - top_left)
    low = low_left + u * (low_right - low_left)
    return top + v * (low - top)
