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
from ssl_domains.views.steps.cut import Cut

__all__ = ["Geometric", "ViewStep", "backend", "grid", "nearest", "sample"]

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

    A subclass gives `source`. Places are x and y from −1 to 1, where ±1 are the outer edges of the border pixels
    (``align_corners=False``), x to the right and y down. A place beyond ±1, or NaN, has no data: it becomes 0 and false
    in the mask.

    Attributes:
        exposes: Whether the step can show a place outside the picture that comes in; a mask is made when there is none.
    """

    exposes: ClassVar[bool] = False

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        """For places of the picture that goes out, where in the picture that comes in they lie.

        Args:
            x: float32, broadcasts with ``y`` to ``[B, H, W]``; ``[1 or B, 1, W]`` until a step mixes x and y.
            y: float32, likewise ``[1 or B, H, 1]``. Neither is to be changed in place.
            parameters: From ``parameters``, on the device of ``x``.
            columns: float64 ``[B]`` by name.
            size: Side of the picture that comes in, in pixels.
        """
        raise TypeError(f"{type(self).__name__} has to say where its pixels come from")

    def cut(self, before: Cut, parameters: Mapping[str, Tensor]) -> Cut | None:
        """What `source` says, where that is a rectangle of whole pixels; None where it is not: then `source` is asked.

        Args:
            before: What the steps before this one cut out.
            parameters: From ``parameters``.
        """
        return None

    def emits(self, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Sample the pictures where `source` says."""
        size = images.shape[-1]
        x, y = self.source(*grid(size, images.device), parameters, columns, size)
        return sample(images, mask, x, y, size=size, exposes=self.exposes)


def backend() -> Any:
    """albumentations, imported when a CPU form first needs it (`ssl_domains.views` has set it offline by then)."""
    import albumentations

    return albumentations


def grid(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Centres of the pixels of a picture, float32: x ``[1, 1, S]`` and y ``[1, S, 1]``."""
    line = (torch.arange(size, dtype=torch.float32, device=device) * 2 + 1) / size - 1
    return line[None, None, :], line[None, :, None]


def sample(
    images: Tensor, mask: Tensor | None, x: Tensor, y: Tensor, *, size: int, exposes: bool
) -> tuple[Tensor, Tensor | None]:
    """Pictures at places: bilinear for the picture, nearest for the mask, 0 where there is no data.

    Args:
        images: float32 ``[B, C, S, S]``.
        mask: bool ``[B, 1, S, S]`` or None.
        x: As `Geometric.source` gives it.
        y: Likewise.
        size: Side of what comes out.
        exposes: Whether places may lie outside; False saves the mask when there is none.
    """
    seen = None
    if exposes:
        # NaN compares false; 4 is far enough outside to touch nothing.
        seen = ((x.abs() <= 1) & (y.abs() <= 1)).expand(len(images), size, size)[:, None]
        x, y = (torch.nan_to_num(v, nan=4.0).clamp_(-4.0, 4.0) for v in (x, y))
    else:
        # Outermost half pixels repeat the border pixel; done here it is cheaper than padding_mode="border".
        edge = 1 - 1 / images.shape[-1]
        x, y = x.clamp(-edge, edge), y.clamp(-edge, edge)
    points = torch.empty((len(images), size, size, 2), dtype=images.dtype, device=images.device)
    points[..., 0] = x
    points[..., 1] = y
    if mask is not None:
        there = F.grid_sample(mask.to(images.dtype), points, "nearest", "zeros", align_corners=False) > 0.5
        seen = there if seen is None else seen & there
    # What lies outside counts as 0 in the interpolation, as in OpenCV's constant border.
    moved = F.grid_sample(images, points, "bilinear", "zeros", align_corners=False)
    return (moved if seen is None else moved * seen), seen


def nearest(values: Tensor, valid: Tensor, x: Tensor, y: Tensor, *, size: int, pad: float) -> tuple[Tensor, Tensor]:
    """Label maps or masks at places, by the nearest pixel: no value is mixed of two.

    Args:
        values: ``[B, 1, S, S]``, any type.
        valid: bool ``[B, 1, S, S]``.
        x: As `Geometric.source` gives it.
        y: Likewise.
        size: Side of what comes out.
        pad: Value of places outside.
    """
    count, side = len(values), values.shape[-1]
    inside = ((x.abs() <= 1) & (y.abs() <= 1)).expand(count, size, size)
    column, row = (
        (((torch.nan_to_num(v, nan=0.0) + 1) * side - 1) / 2)
        .round()
        .clamp_(0, side - 1)
        .long()
        .expand(count, size, size)
        for v in (x, y)
    )
    sample_of = torch.arange(count, device=values.device)[:, None, None]
    moved = values[:, 0][sample_of, row, column]
    seen = inside & valid[:, 0][sample_of, row, column]
    moved = torch.where(inside, moved, torch.as_tensor(pad, dtype=values.dtype, device=values.device))
    return moved[:, None], seen[:, None]
