"""Cut out a random rectangle and enlarge it to the whole picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.cut import Cut
from ssl_domains.views.steps.declared import Declared, check_range
from ssl_domains.views.steps.step import Geometric, backend

__all__ = ["RandomResizedCrop"]


@dataclass(frozen=True)
class RandomResizedCrop(Declared, Geometric):
    """Random crop, resized to the size of the view (Szegedy et al. 2015; Chen et al. 2020).

    The rectangle has whole pixels, and interpolation uses no pixel outside it.

    Attributes:
        scale: Range of the crop's area, as a fraction of the picture's area.
        ratio: Range of width over height, drawn on a log scale.
        emit: Whether the view records ``crop_x``, ``crop_y`` (centre, 0 to 1 of the picture) and ``crop_area``.
    """

    name: ClassVar[str] = "crop"
    scale: tuple[float, float] = (0.2, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    emit: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "scale", self.scale, 1e-6, 1.0)
        check_range(self.name, "ratio", self.ratio, 1e-3, 1e3)

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``left``, ``top``, ``width``, ``height``, whole pixels as float64, and ``size``."""
        area = draws.between(*self.scale) * size * size
        ratio = draws.between(math.log(self.ratio[0]), math.log(self.ratio[1])).exp()
        width = (area * ratio).sqrt().round().clamp(1, size)
        height = (area / ratio).sqrt().round().clamp(1, size)
        places = draws.uniform(2)
        left = (places[:, 0] * (size - width + 1)).floor()
        top = (places[:, 1] * (size - height + 1)).floor()
        return {"left": left, "top": top, "width": width, "height": height, "size": torch.full_like(left, size)}

    def emits(self, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``crop_x``, ``crop_y`` and ``crop_area`` when ``emit`` is set, else nothing."""
        if not self.emit:
            return {}
        left, top, width, height, size = (parameters[key] for key in ("left", "top", "width", "height", "size"))
        return {
            "crop_x": (left + width / 2) / size,
            "crop_y": (top + height / 2) / size,
            "crop_area": width * height / size**2,
        }

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        """Places in the rectangle: −1 and 1 become its edges."""
        return (
            _into(x, parameters["left"], parameters["width"], size),
            _into(y, parameters["top"], parameters["height"], size),
        )

    def cut(self, before: Cut, parameters: Mapping[str, Tensor]) -> Cut | None:
        """The rectangle in the picture before any flip: mirrored where an earlier step mirrors the picture.

        None after another crop, and when the rectangle was drawn for another size than that of the canvas.
        """
        left, top, width, height, size = (parameters[key] for key in ("left", "top", "width", "height", "size"))
        if not before.whole or bool((size != before.size).any()):
            return None
        return replace(
            before,
            left=torch.where(before.mirror_x, size - left - width, left),
            top=torch.where(before.mirror_y, size - top - height, top),
            width=width,
            height=height,
            whole=False,
        )

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """albumentations' ``Crop`` and ``Resize``."""
        left, top = int(parameters["left"]), int(parameters["top"])
        right, bottom = left + int(parameters["width"]), top + int(parameters["height"])
        a = backend()
        cut = a.Crop(x_min=left, y_min=top, x_max=right, y_max=bottom, p=1.0)(image=image)["image"]
        enlarged: NDArray[np.float32] = a.Resize(*image.shape[:2], p=1.0)(image=cut)["image"]
        return enlarged


def _into(places: Tensor, start: Tensor, length: Tensor, size: int) -> Tensor:
    start, length = (pixels.to(places.dtype)[:, None, None] for pixels in (start, length))
    border = 1 - 1 / length
    inside = torch.minimum(torch.maximum(places, -border), border)
    return inside * (length / size) + ((2 * start + length) / size - 1)
