"""Rotation of the picture about its centre."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import Declared, check_range, check_share
from ssl_domains.views.steps.step import Geometric, backend

__all__ = ["Rotate"]


@dataclass(frozen=True)
class Rotate(Declared, Geometric):
    """Rotates the picture; corners from outside it are filled by reflection and are false in the mask.

    A mask is made when there is none. Put the step before the crop, so that most crops have no such corner.

    Attributes:
        degrees: Range of the angle, anticlockwise.
        p: Probability that the picture is rotated.
    """

    name: ClassVar[str] = "rotate"
    exposes: ClassVar[bool] = True
    degrees: tuple[float, float] = (-15.0, 15.0)
    p: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "degrees", self.degrees, -180.0, 180.0)
        check_share(self.name, self.p)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``degrees``, 0 where it isn't applied."""
        degrees = draws.between(*self.degrees)
        return {"degrees": torch.where(draws.happens(self.p), degrees, 0.0)}

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        """The place rotated back by the angle; y points down."""
        angle = parameters["degrees"] * (math.pi / 180)
        cos, sin = (value.to(x.dtype)[:, None, None] for value in (angle.cos(), angle.sin()))
        return cos * x - sin * y, sin * x + cos * y

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """albumentations' ``Rotate`` by exactly this angle, reflected at the border."""
        degrees = float(parameters["degrees"])
        if degrees == 0:
            return image
        rotate = backend().Rotate(limit=(degrees, degrees), border_mode=cv2.BORDER_REFLECT, p=1.0)
        turned: NDArray[np.float32] = rotate(image=image)["image"]
        return turned
