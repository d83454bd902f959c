"""Horizontal and vertical flip: mirror the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.cut import Cut
from ssl_domains.views.steps.declared import Declared, check_share
from ssl_domains.views.steps.step import Geometric, backend

__all__ = ["HorizontalFlip", "VerticalFlip"]


@dataclass(frozen=True)
class _Flip(Declared, Geometric):
    axis: ClassVar[int] = 0
    p: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``flip``, bool."""
        return {"flip": draws.happens(self.p)}

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        """The mirrored place where ``flip`` is true, else the same place."""
        sign = torch.where(parameters["flip"], -1.0, 1.0).to(x.dtype)[:, None, None]
        return (x * sign, y) if self.axis == 0 else (x, y * sign)

    def cut(self, before: Cut, parameters: Mapping[str, Tensor]) -> Cut:
        """The same rectangle, mirrored."""
        if self.axis == 0:
            return replace(before, mirror_x=before.mirror_x ^ parameters["flip"])
        return replace(before, mirror_y=before.mirror_y ^ parameters["flip"])

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """albumentations' flip of the same name."""
        if not parameters["flip"]:
            return image
        flip = backend().HorizontalFlip if self.axis == 0 else backend().VerticalFlip
        flipped: NDArray[np.float32] = flip(p=1.0)(image=image)["image"]
        return flipped


@dataclass(frozen=True)
class HorizontalFlip(_Flip):
    """Exchanges left and right. Not for domains where left and right differ in meaning, such as chest X-rays.

    Attributes:
        p: Probability that the picture is mirrored.
    """

    name: ClassVar[str] = "horizontal-flip"
    axis: ClassVar[int] = 0


@dataclass(frozen=True)
class VerticalFlip(_Flip):
    """Exchanges top and bottom. Not for domains where up and down differ, by gravity, depth or anatomy.

    Attributes:
        p: Probability that the picture is mirrored.
    """

    name: ClassVar[str] = "vertical-flip"
    axis: ClassVar[int] = 1
