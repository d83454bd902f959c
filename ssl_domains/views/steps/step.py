"""What a step of a recipe is: parameters drawn once, applied on the device or on the CPU with the same outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.views.draws import Draws

__all__ = ["Geometric", "ViewStep", "backend", "grid", "sample"]

Image = NDArray[np.float32]


@runtime_checkable
class ViewStep(Protocol):
    """One augmentation: stateless, picklable, any batch size.

    The recipe calls, for each view: ``parameters`` → ``emits`` → ``device`` (batched) or ``cpu`` (one picture). A
    step must not draw random numbers anywhere else, so that views depend on (seed, step, slot, view) alone.

    Attributes:
        name: Short, lower case, ``-`` between words; part of the key of the step's draws.
        reason: Why this domain uses it, a sentence for the report.
        columns: Table numbers it reads for each sample; missing values arrive as NaN.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> tuple[str, ...]: ...  # noqa: D102

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """Draw what the step does to each sample: CPU tensors ``[B]`` (float64, int64 or bool) by name.

        Args:
            draws: The numbers of this step, for B slots.
            size: Side of the picture that comes in, in pixels.
        """
        ...

    def emits(self, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Numbers of the view, not of the sample (the angle after re-projection): float64 ``[B]`` by name."""
        ...

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Apply to a batch.

        Args:
            images: float32 ``[B, C, S, S]`` in [0, 1], not to be changed in place.
            mask: bool ``[B, 1, S, S]``, true where the picture has data; None where all is data.
            parameters: From `parameters`, on the device of ``images``.
            columns: float64 ``[B]`` by name, on the device of ``images``.
        """
        ...

    def cpu(self, image: Image, parameters: Mapping[str, Any], columns: Mapping[str, float]) -> Image:
        """Apply to one picture, float32 ``[S, S, C]`` in [0, 1]; parameters and columns are Python numbers."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Name, reason and settings, JSON values only."""
        ...


class Geometric:
    """Base of the steps that only move pixels. A recipe fuses neighbouring ones into a single interpolation.

    A subclass gives ``source``. Points are ``(x, y)`` from −1 to 1, where ±1 are the outer edges of the border pixels
    (``align_corners=False``). A point beyond ±1, or NaN, has no data: it becomes 0 and false in the mask.

    Attributes:
        exposes: Whether the step can show a place outside the picture that comes in; a mask is made when there is none.
    """

    exposes: ClassVar[bool] = False

    def source(
        self, points: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> Tensor:
        """For points ``[B, H, W, 2]`` of the picture that goes out, where in the picture that comes in they lie.

        ``size`` is the side of the picture that comes in. May change ``points`` in place.
        """
        raise TypeError(f"{type(self).__name__} has to say where its pixels come from")

    def emits(self, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Sample the pictures where `source` says."""
        size = images.shape[-1]
        points = self.source(grid(len(images), size, images.device), parameters, columns, size)
        return sample(images, mask, points, exposes=self.exposes)


def backend() -> Any:
    """albumentations, imported when a CPU form first needs it (`ssl_domains.views` has set it offline by then)."""
    import albumentations

    return albumentations


def grid(batch: int, size: int, device: torch.device) -> Tensor:
    """Centres of the pixels of a picture, float32 ``[B, S, S, 2]``, memory of its own."""
    line = (torch.arange(size, dtype=torch.float32, device=device) * 2 + 1) / size - 1
    points = torch.stack((line[None, :].expand(size, size), line[:, None].expand(size, size)), dim=-1)
    return points.expand(batch, size, size, 2).clone()


def sample(images: Tensor, mask: Tensor | None, points: Tensor, *, exposes: bool) -> tuple[Tensor, Tensor | None]:
    """Pictures at points: bilinear for the picture, nearest for the mask, 0 where there is no data.

    Args:
        images: float32 ``[B, C, S, S]``.
        mask: bool ``[B, 1, S, S]`` or None.
        points: ``[B, H, W, 2]``, as `Geometric` defines them.
        exposes: Whether points may lie outside; False saves the mask when there is none.
    """
    if not exposes and mask is None:
        return F.grid_sample(images, points, mode="bilinear", padding_mode="border", align_corners=False), None
    points = torch.nan_to_num(points, nan=4.0).clamp_(-4.0, 4.0)
    seen = (points.abs() <= 1.0).all(dim=-1)[:, None]
    if mask is not None:
        nearest = F.grid_sample(
            mask.to(images.dtype), points, mode="nearest", padding_mode="border", align_corners=False
        )
        seen &= nearest > 0.5
    # What lies outside counts as 0 in the interpolation, as in OpenCV's constant border.
    moved = F.grid_sample(
        images, points, mode="bilinear", padding_mode="zeros" if exposes else "border", align_corners=False
    )
    return moved * seen, seen
