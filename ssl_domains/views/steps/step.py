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

__all__ = ["Geometric", "ViewStep", "backend", "grid", "nearest", "reflect", "sample"]

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
            mask: bool ``[B, 1, S, S]``, true where the picture has data; None where all is data. Canvas padding is
                false but holds the reflected picture: change it like the rest, and never set it to a constant.
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
    (``align_corners=False``), x to the right and y down. A place beyond ±1 has no data and is false in the mask. It
    shows the picture reflected at its border, and where `source` gives NaN, the picture that comes in at the same
    place: a constant colour there would tell an encoder what the step did.

    Attributes:
        exposes: Whether the step can show a place outside the picture that comes in; a mask is made when there is none.
    """

    exposes: ClassVar[bool] = False

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        """For places of the picture that goes out, where in the picture that comes in they lie.

        Args:
            x: float32 from −1 to 1, broadcasts with ``y`` to ``[B, H, W]``; ``[1 or B, 1, W]`` until a step mixes x
                and y.
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
        before = grid(size, images.device)
        x, y = self.source(*before, parameters, columns, size)
        inside = None
        if self.exposes:
            x, y, inside = reflect(x, y, before)
        return sample(images, mask, x, y, size=size, inside=inside)


def backend() -> Any:
    """albumentations, imported when a CPU form first needs it (`ssl_domains.views` has set it offline by then)."""
    import albumentations

    return albumentations


def grid(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Centres of the pixels of a picture, float32: x ``[1, 1, S]`` and y ``[1, S, 1]``."""
    line = (torch.arange(size, dtype=torch.float32, device=device) * 2 + 1) / size - 1
    return line[None, None, :], line[None, :, None]


def reflect(x: Tensor, y: Tensor, before: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Bring places outside the picture back into it, by reflection at its border.

    Args:
        x: As `Geometric.source` gives it.
        y: Likewise.
        before: The places that ``source`` was given, from −1 to 1; they replace places that are not finite.

    Returns:
        x and y from −1 to 1, and bool, true where the place was inside the picture; broadcast to ``[B, H, W]``.
    """
    inside = (x.abs() <= 1) & (y.abs() <= 1)  # NaN compares false
    known = x.isfinite() & y.isfinite()
    x = torch.where(known, _reflected(x), before[0])
    y = torch.where(known, _reflected(y), before[1])
    return x, y, inside


def _reflected(places: Tensor) -> Tensor:
    """A triangular wave of period 4 that is the identity from −1 to 1."""
    return torch.where(places.abs() <= 1, places, 1 - (torch.remainder(places + 1, 4) - 2).abs())


def sample(
    images: Tensor, mask: Tensor | None, x: Tensor, y: Tensor, *, size: int, inside: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Pictures at places: bilinear for the picture, nearest for the mask.

    Args:
        images: float32 ``[B, C, S, S]``.
        mask: bool ``[B, 1, S, S]`` or None.
        x: From −1 to 1, as `Geometric.source` or `reflect` gives it.
        y: Likewise.
        size: Side of what comes out.
        inside: bool, broadcasts to ``[B, size, size]``: false at places outside the picture. None where all are inside.
    """
    if inside is not None:
        inside = inside.expand(len(images), size, size)[:, None]
    # Outermost half pixels repeat the border pixel; done here it is cheaper than padding_mode="border".
    edge = 1 - 1 / images.shape[-1]
    x, y = x.clamp(-edge, edge), y.clamp(-edge, edge)
    points = torch.empty((len(images), size, size, 2), dtype=images.dtype, device=images.device)
    points[..., 0] = x
    points[..., 1] = y
    if mask is not None:
        there = F.grid_sample(mask.to(images.dtype), points, "nearest", "zeros", align_corners=False) > 0.5
        inside = there if inside is None else inside & there
    return F.grid_sample(images, points, "bilinear", "zeros", align_corners=False), inside


def nearest(
    values: Tensor, valid: Tensor, x: Tensor, y: Tensor, *, size: int, pad: float, inside: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Label maps or masks at places, by the nearest pixel: no value is mixed of two.

    Args:
        values: ``[B, 1, S, S]``, any type.
        valid: bool ``[B, 1, S, S]``.
        x: From −1 to 1, as `Geometric.source` or `reflect` gives it.
        y: Likewise.
        size: Side of what comes out.
        pad: Value of places outside the picture.
        inside: bool, broadcasts to ``[B, size, size]``: false at places outside. None where all are inside.
    """
    count, side = len(values), values.shape[-1]
    column, row = (
        (((places + 1) * side - 1) / 2).round().clamp_(0, side - 1).long().expand(count, size, size)
        for places in (x, y)
    )
    of = torch.arange(count, device=values.device)[:, None, None]
    moved, seen = values[:, 0][of, row, column], valid[:, 0][of, row, column]
    if inside is not None:
        moved = torch.where(inside, moved, torch.as_tensor(pad, dtype=values.dtype, device=values.device))
        seen = seen & inside
    return moved[:, None], seen[:, None]
