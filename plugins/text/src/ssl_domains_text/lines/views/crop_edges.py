"""Cuts a little off the edges of a line and stretches the rest to its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import check_range, check_share
from ssl_domains_text.lines.views.warp import Warp

__all__ = ["CropEdges"]


@dataclass(frozen=True)
class CropEdges(Warp):
    """Crop of the top and bottom, or of the left and right edge, each by a share of its own.

    Attributes:
        upright: Range of what is cut off at the top and at the bottom, as a share of the height.
        sideways: Range of what is cut off at the left and at the right, as a share of the width.
        p: Probability that top and bottom are cut; that left and right are, likewise.
    """

    name: ClassVar[str] = "crop edges"
    upright: tuple[float, float] = (0.0, 0.2)
    sideways: tuple[float, float] = (0.0, 0.01)
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "upright", self.upright, 0.0, 0.45)
        check_range(self.name, "sideways", self.sideways, 0.0, 0.45)
        check_share(self.name, self.p)

    @property
    def most_shift(self) -> float:
        """A pixel at the edge moves by what is cut off there."""
        return self.sideways[1]

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``top``, ``bottom``, ``left`` and ``right``, float32 ``[B]``, 0 where it isn't applied."""
        upright, sideways = draws.happens(self.p), draws.happens(self.p)
        ends = {}
        for name, used, span in (
            ("top", upright, self.upright),
            ("bottom", upright, self.upright),
            ("left", sideways, self.sideways),
            ("right", sideways, self.sideways),
        ):
            ends[name] = torch.where(used, draws.between(*span), 0.0).float()
        return ends

    def moved(self, u: Tensor, v: Tensor, parameters: Mapping[str, Tensor], aspect: Tensor) -> tuple[Tensor, Tensor]:
        """The rest is stretched evenly."""
        top, bottom, left, right = (parameters[name].view(-1, 1, 1) for name in ("top", "bottom", "left", "right"))
        return left - u * (left + right), top - v * (top + bottom)
