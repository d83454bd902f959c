"""Cut a random stretch out of a signal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views.draws import Draws
from ssl_domains.views.sequences.step import (
    BITS,
    Applied,
    fraction,
    lengths_along,
    places_along,
    require_side,
    whole_number,
)
from ssl_domains.views.steps.declared import Declared, check_range

__all__ = ["CropLength"]


@dataclass(frozen=True)
class CropLength(Declared):
    """Keep a random stretch of each sample along one side; it lies inside the sample's valid places.

    Further inputs of the samples, such as labels of each place, are cut at the same places.

    Attributes:
        share: Range of the crop's length, as a share of the sample's valid length. Needs a ragged side.
        length: Length in places, in the place of ``share``; a shorter sample stays whole.
        side: Number of the side, counted from 0 after the channels.
        emit: Name under which the view records the crop's start, such as ``"start_s"``; None records nothing. On a GPU
            recording it waits for the device once a view.
        spacing: Distance of neighbouring places in the unit of that number: a number (``1 / 500`` s), or the name of a
            column with each sample's own.
    """

    name: ClassVar[str] = "crop"
    moves: ClassVar[bool] = True
    share: tuple[float, float] = (0.5, 1.0)
    length: int | None = None
    side: int = 0
    emit: str | None = None
    spacing: float | str = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.name, "share", self.share, 1e-6, 1.0)
        if self.side < 0 or (self.length is not None and self.length < 1):
            raise UsageError(
                f"{self.name}: length={self.length}, side={self.side}", "give a length from 1 and a side from 0"
            )
        if not isinstance(self.spacing, str) and not 0 < self.spacing < math.inf:
            raise UsageError(f"{self.name}: spacing={self.spacing}", "give a number above 0, or the name of a column")

    @property
    def columns(self) -> tuple[str, ...]:  # type: ignore[override]
        """The column with the distance of neighbouring places, when ``spacing`` names one and ``emit`` is set."""
        return (self.spacing,) if self.emit is not None and isinstance(self.spacing, str) else ()

    @property
    def emitted(self) -> tuple[str, ...]:
        """The name of the crop's start, when ``emit`` is set."""
        return () if self.emit is None else (self.emit,)

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """``share`` and ``start``, int64 ``[B]`` from `fraction`."""
        return {"share": fraction(draws, *self.share), "start": fraction(draws)}

    def apply(
        self, inputs: tuple[Input, ...], parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> Applied:
        """Cut the samples, and further inputs of them at the same places."""
        first, side = inputs[0], self.side
        require_side(self.name, first, side)
        size, valid = first.space[side], lengths_along(first, side)
        if self.length is not None:
            kept, most = valid.clamp(max=self.length), min(self.length, size)
        elif side in first.ragged:
            kept = whole_number(parameters["share"], valid).clamp(min=1).minimum(valid)
            most = _longest(kept, max(1, (int(self.share[1] * (1 << BITS)) * size) >> BITS))
        else:
            cause = f"{self.name}: crops of differing length along side {side}, which is {size} in every sample"
            raise UsageError(cause, "give the crop a length, or take inputs of any length")
        start = whole_number(parameters["start"], valid - kept + 1)
        places = torch.arange(most, device=first.device)[None, :]
        inside = places < kept[:, None]
        index = (start[:, None] + places).clamp(max=size - 1)
        # All samples are as long as the crop when nothing is ragged and nothing is padded: no validity is needed.
        whole = first.valid is None and self.length is not None
        numbers = {}
        if self.emit is not None:
            spacing = columns[self.spacing] if isinstance(self.spacing, str) else self.spacing
            numbers[self.emit] = start.cpu().to(torch.float64) * spacing
        return tuple(_cut(x, side, size, index, None if whole else inside) for x in inputs), numbers


def _longest(kept: Tensor, bound: int) -> int:
    """Length of the longest crop; on an accelerator a bound of it, as reading the length would wait for the device."""
    return max(1, int(kept.max())) if kept.device.type == "cpu" else bound


def _cut(x: Input, side: int, size: int, index: Tensor, inside: Tensor | None) -> Input:
    """Take the places ``index`` ``[B, length]`` of one side; they are valid where ``inside`` and ``x.valid`` are."""
    if side >= len(x.space) or x.space[side] != size:
        cause = f"crop: a further input has sides {list(x.space)}, the samples have {size} places along side {side}"
        raise UsageError(cause, "further inputs have the sides of the samples")
    at = places_along(x, side, index)
    values = x.values.gather(side + 2, at.expand(*x.values.shape[: side + 2], -1, *x.values.shape[side + 3 :]))
    valid = x.valid
    if valid is not None:
        valid = valid.gather(side + 2, at.expand(*valid.shape[: side + 2], -1, *valid.shape[side + 3 :]))
    if inside is not None:
        shown = places_along(x, side, inside)
        valid = shown.expand(len(x), 1, *values.shape[2:]) if valid is None else valid & shown
        values = values.masked_fill(~valid, x.pad)
    return replace(x, values=values, valid=valid)
