"""Protocol of an augmentation step, and the base class of geometric steps with its interpolation."""

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
    """One augmentation step: stateless, picklable, for any batch size.

    The recipe calls, for each view: ``parameters`` → ``emits`` → ``device`` (batched) or ``cpu`` (one picture). A
    step must not draw random numbers anywhere else, so that views depend on (seed, step, slot, view) alone.

    Attributes:
        name: Short, lower case, ``-`` between words; part of the key of the step's random numbers.
        reason: Why this domain uses it, in one sentence for the report.
        columns: Numeric columns of the table that it reads for each sample; missing values are NaN.

    May also have ``moves``, a bool: whether equal places of two views show different places of the sample, as behind a
    random crop. Methods that compare places of two views refuse such a step. A `Geometric` step has it true, others
    without it count as false.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> tuple[str, ...]: ...  # noqa: D102

    def parameters(self, draws: Draws, size: int) -> dict[str, Tensor]:
        """Draw the random parameters of each sample: CPU tensors ``[B]`` (float64, int64 or bool) by name.

        Args:
            draws: Random numbers of this step, for B slots.
            size: Side of the picture that comes in, in pixels.
        """
        ...

    def emits(self, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Numbers to record with the view, such as the angle after re-projection: float64 ``[B]`` by name."""
        ...

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Apply to a batch.

        Args:
            images: float32 ``[B, C, S, S]`` in [0, 1], not to be changed in place.
            mask: bool ``[B, 1, S, S]``, true where the picture has data; None where all is data. Canvas padding is
                false but holds the reflected picture: change it like other pixels, and never set it to a constant.
            parameters: Returned by `parameters`, on the device of ``images``.
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
    """Base class of steps that only move pixels. A recipe applies neighbouring ones as one interpolation.

    A subclass implements `source`. Places are x and y from −1 to 1, where ±1 are the outer edges of the border pixels
    (``align_corners=False``), x to the right and y down. A place beyond ±1 has no data and is false in the mask. It
    is filled by reflecting the picture at its border; where `source` returns NaN, with the input pixel at the same
    place. It is not filled with one colour, because an encoder could read from that what the step did.

    Attributes:
        exposes: Whether the step can show places outside its input; if so, a mask is made when there is none.
        moves: See `ViewStep`; false for a step that moves nothing by more than 2 % of the width.
    """

    exposes: ClassVar[bool] = False
    moves: ClassVar[bool] = True

    def source(
        self, x: Tensor, y: Tensor, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor], size: int
    ) -> tuple[Tensor, Tensor]:
        """Places in the input picture from which the given places of the output picture are read.

        Args:
            x: float32 from −1 to 1, broadcasts with ``y`` to ``[B, H, W]``; ``[1 or B, 1, W]`` until a step mixes x
                and y.
            y: float32, likewise ``[1 or B, H, 1]``. Neither may be changed in place.
            parameters: Returned by ``parameters``, on the device of ``x``.
            columns: float64 ``[B]`` by name.
            size: Side of the picture that comes in, in pixels.
        """
        raise TypeError(f"{type(self).__name__} has to say where its pixels come from")

    def cut(self, before: Cut, parameters: Mapping[str, Tensor]) -> Cut | None:
        """The result of this step as a rectangle of whole pixels; None when it isn't one, and `source` is used.

        Args:
            before: Rectangle that the steps before this one cut out.
            parameters: Returned by ``parameters``.
        """
        return None

    def emits(self, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """No numbers; a step that records some overrides this."""
        return {}

    def device(
        self, images: Tensor, mask: Tensor | None, parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor | None]:
        """Interpolate the pictures at the places that `source` returns."""
        size = images.shape[-1]
        before = grid(size, images.device)
        x, y = self.source(*before, parameters, columns, size)
        inside = None
        if self.exposes:
            x, y, inside = reflect(x, y, before)
        return sample(images, mask, x, y, size=size, inside=inside)


def backend() -> Any:
    """The module albumentations, imported at first use, after `ssl_domains.views` has turned off its update check."""
    import albumentations

    return albumentations


def grid(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Centres of the pixels of a picture, float32: x ``[1, 1, S]`` and y ``[1, S, 1]``."""
    line = (torch.arange(size, dtype=torch.float32, device=device) * 2 + 1) / size - 1
    return line[None, None, :], line[None, :, None]


def reflect(x: Tensor, y: Tensor, before: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Bring places outside the picture back into it, by reflection at its border.

    Args:
        x: As `Geometric.source` returns it.
        y: Likewise.
        before: Arguments of ``source``, from −1 to 1; they replace places that are not finite.

    Returns:
        x and y from −1 to 1, and a mask (bool), true where the place was inside the picture; they broadcast to
        ``[B, H, W]``.
    """
    inside = (x.abs() <= 1) & (y.abs() <= 1)  # NaN compares false
    known = x.isfinite() & y.isfinite()
    x = torch.where(known, _reflected(x), before[0])
    y = torch.where(known, _reflected(y), before[1])
    return x, y, inside


def _reflected(places: Tensor) -> Tensor:
    """Reflect coordinates into [−1, 1]: a triangular wave of period 4 that is the identity from −1 to 1."""
    return torch.where(places.abs() <= 1, places, 1 - (torch.remainder(places + 1, 4) - 2).abs())


def sample(
    images: Tensor, mask: Tensor | None, x: Tensor, y: Tensor, *, size: int, inside: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Interpolate pictures at places: bilinear for the picture, nearest for the mask.

    Args:
        images: float32 ``[B, C, S, S]``.
        mask: bool ``[B, 1, S, S]`` or None.
        x: From −1 to 1, as `Geometric.source` or `reflect` returns it.
        y: Likewise.
        size: Side of the output, in pixels.
        inside: bool, broadcasts to ``[B, size, size]``: false at places outside the picture. None where all are inside.
    """
    if inside is not None:
        inside = inside.expand(len(images), size, size)[:, None]
    # Places in the outer half of a border pixel take that pixel; clamping is cheaper than padding_mode="border".
    edge = 1 - 1 / images.shape[-1]
    x, y = x.clamp(-edge, edge), y.clamp(-edge, edge)
    points = torch.empty((len(images), size, size, 2), dtype=images.dtype, device=images.device)
    points[..., 0] = x
    points[..., 1] = y
    if mask is not None:
        sampled = F.grid_sample(mask.to(images.dtype), points, "nearest", "zeros", align_corners=False) > 0.5
        inside = sampled if inside is None else inside & sampled
    return F.grid_sample(images, points, "bilinear", "zeros", align_corners=False), inside


def nearest(
    values: Tensor, valid: Tensor, x: Tensor, y: Tensor, *, size: int, pad: float, inside: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Read label maps or masks at places, from the nearest pixel: values are never averaged.

    Args:
        values: ``[B, 1, S, S]``, any type.
        valid: bool ``[B, 1, S, S]``.
        x: From −1 to 1, as `Geometric.source` or `reflect` returns it.
        y: Likewise.
        size: Side of the output, in pixels.
        pad: Value of places outside the picture.
        inside: bool, broadcasts to ``[B, size, size]``: false at places outside the picture. None where all are inside.
    """
    count, side = len(values), values.shape[-1]
    column, row = (
        (((places + 1) * side - 1) / 2).round().clamp_(0, side - 1).long().expand(count, size, size)
        for places in (x, y)
    )
    of = torch.arange(count, device=values.device)[:, None, None]
    moved, moved_valid = values[:, 0][of, row, column], valid[:, 0][of, row, column]
    if inside is not None:
        moved = torch.where(inside, moved, torch.as_tensor(pad, dtype=values.dtype, device=values.device))
        moved_valid = moved_valid & inside
    return moved[:, None], moved_valid[:, None]
