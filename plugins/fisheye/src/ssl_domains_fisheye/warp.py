"""A fisheye warp that knows no calibration: the crop is bent as some lens would; the control of re-projection."""

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

from ssl_domains.errors import UsageError
from ssl_domains.views import Draws, Geometric

__all__ = ["FisheyeWarp"]


@dataclass(frozen=True)
class FisheyeWarp(Geometric):
    """Squeeze the crop towards a random direction, as a barrel distortion around a random centre does.

    Around a centre c, a point p of the new picture shows the old one at c + d(1 + k|d|²) with d = p − c. The centre
    lies ``|c|`` half crops away in a direction that is uniform, so that the middle of the crop is squeezed along it by
    (1 + 3k|c|²)/(1 + k|c|²), which is drawn between 1 and ``squeeze`` (less for a near centre, around which the rest
    would be bent too far). The crop is then fitted so that no point outside it is shown. Nothing is read of the sample:
    where it really was on which lens stays unknown.

    Attributes:
        squeeze: The largest squeeze, from 1 (nothing happens) to below 3.
        farthest: The largest |c| in half crops.
        p: How often.
        reason: For the report.
    """

    squeeze: float = 2.0
    farthest: float = 2.0
    p: float = 1.0
    reason: str = "a lens bends what it shows, by how much and whence is not asked"

    name: ClassVar[str] = "fisheye-warp"
    columns: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if not (1 <= self.squeeze < 3 and self.farthest > 0 and 0 <= self.p <= 1):
            raise UsageError(
                f"a fisheye warp squeezes by 1 to below 3, not {self.squeeze:g}, around a centre that is apart",
                "squeeze=2, farthest=2, p=1 is usual",
            )

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """``x``, ``y``: the centre in half crops; ``k``: the strength, 0 where it isn't applied."""
        direction = draws.between(-math.pi, math.pi)
        distance = draws.between(0.0, self.farthest)
        squeeze = torch.where(draws.happens(self.p), draws.between(1.0, self.squeeze), 1.0)
        # (1 + 3q)/(1 + q) = squeeze with q = k|c|².
        k = torch.minimum((squeeze - 1) / (3 - squeeze) / distance.clamp(min=1e-3) ** 2, (squeeze - 1) / 2)
        return {"x": distance * torch.cos(direction), "y": distance * torch.sin(direction), "k": k}

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        """Where the points of the new picture were."""
        cx, cy, k = (parameters[name].to(x.dtype)[:, None, None] for name in ("x", "y", "k"))
        edge = torch.tensor([-1.0, 0.0, 1.0], dtype=x.dtype, device=x.device)
        ring_x, ring_y = _bent(edge[None, None, :], edge[None, :, None], cx, cy, k)
        reach = torch.maximum(ring_x.abs().amax(dim=(1, 2), keepdim=True), ring_y.abs().amax(dim=(1, 2), keepdim=True))
        there_x, there_y = _bent(x, y, cx, cy, k)
        return there_x / reach, there_y / reach

    def cpu(
        self, image: NDArray[np.float32], parameters: Mapping[str, Any], columns: Mapping[str, float]
    ) -> NDArray[np.float32]:
        """The same on one picture ``[S, S, C]`` by OpenCV."""
        if parameters["k"] == 0:
            return image
        size = image.shape[0]
        line = (torch.arange(size, dtype=torch.float32) * 2 + 1) / size - 1
        drawn = {name: torch.tensor([float(parameters[name])], dtype=torch.float64) for name in ("x", "y", "k")}
        places = self.source(line[None, None, :], line[None, :, None], drawn, {}, size)
        x, y = (((place[0].numpy() + 1) * size / 2 - 0.5).astype(np.float32) for place in places)
        moved = [
            cv2.remap(np.ascontiguousarray(channel), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for channel in np.moveaxis(image, -1, 0)
        ]
        bent: NDArray[np.float32] = np.stack(moved, axis=-1)
        return bent

    def to_dict(self) -> dict[str, Any]:
        """Name, reason and settings."""
        return {
            "name": self.name,
            "squeeze": self.squeeze,
            "farthest": self.farthest,
            "p": self.p,
            "reason": self.reason,
        }


def _bent(x: Tensor, y: Tensor, cx: Tensor, cy: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """Bent around the centre, the middle of the crop kept in its place."""
    dx, dy = x - cx, y - cy
    stretch = 1 + k * (dx * dx + dy * dy)
    middle = 1 + k * (cx * cx + cy * cy)
    return dx * stretch + cx * middle, dy * stretch + cy * middle
