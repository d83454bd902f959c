"""Crops of a batch; and at evaluation, the centre of a sample or a grid of tiles that covers it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.overriding import does_many
from ssl_domains.views.crops.contract import Crop
from ssl_domains.views.draws import Draws

__all__ = ["Tiling", "centre", "emit_all", "place_all"]


def centre(crop: Crop, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
    """The slices that are shown at evaluation to an encoder of a fixed size.

    They are those of ``crop.centre``; for a crop without it, a crop of the same lengths as that of step 0, centred.
    """
    if hasattr(crop, "centre"):
        made: tuple[slice, ...] = crop.centre(shape, facts)
        return made
    placed = crop.place(Draws(0, 0, torch.zeros(1, dtype=torch.int64), 0, "crop"), shape, facts)
    starts = [(length - (one.stop - one.start)) // 2 for length, one in zip(shape, placed, strict=True)]
    return tuple(slice(start, start + one.stop - one.start) for start, one in zip(starts, placed, strict=True))


def place_all(
    crop: Crop, draws: Draws, shapes: NDArray[np.int64], facts: Mapping[str, NDArray[np.float64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and stops of the crops of all slots of a batch, int64 ``[n, rank]`` each.

    Args:
        crop: The crop.
        draws: Random numbers of ``n`` slots.
        shapes: Sides of their arrays, int64 ``[n, rank]``.
        facts: Numbers of their rows, float64 ``[n]`` by name.
    """
    if does_many(crop, "place_many", "place"):
        made: tuple[NDArray[np.int64], NDArray[np.int64]] = crop.place_many(draws, shapes, facts)  # type: ignore[attr-defined]
        return made
    placed = [
        crop.place(draws.of_slot(slot), shape, {name: float(values[slot]) for name, values in facts.items()})
        for slot, shape in enumerate(shapes.tolist())
    ]
    ends = np.array([[(side.start, side.stop) for side in one] for one in placed], dtype=np.int64)
    ends = ends.reshape(len(shapes), shapes.shape[1], 2)
    return ends[:, :, 0], ends[:, :, 1]


def emit_all(
    crop: Crop, starts: NDArray[np.int64], stops: NDArray[np.int64], facts: Mapping[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    """The numbers that placed crops emit, float64 ``[n]`` by name; arguments as `place_all` gives and takes them."""
    if does_many(crop, "emit_many", "emit"):
        made: dict[str, NDArray[np.float64]] = crop.emit_many(starts, stops, facts)  # type: ignore[attr-defined]
        return made
    numbers = [
        crop.emit(
            [slice(*ends) for ends in zip(first, last, strict=True)],
            {name: float(values[slot]) for name, values in facts.items()},
        )
        for slot, (first, last) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True))
    ]
    return {name: np.array([one[name] for one in numbers], dtype=np.float64) for name in crop.emitted}


@dataclass(frozen=True)
class Tiling:
    """A grid of tiles that covers a sample; each tile has the size of the crop at the centre.

    Along each axis, neighbouring tiles overlap by a share of their length. The last tile ends where the sample ends, so
    it may overlap its neighbour by more.

    Attributes:
        overlap: Share of a tile's length, from 0 to less than 1.

    Raises:
        UsageError: For another share.
    """

    overlap: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < 1:
            raise UsageError(f"tiles that overlap by {self.overlap}", "the overlap is a share from 0 to less than 1")

    @property
    def words(self) -> str:
        """The tiling in words, for reports."""
        return f"tiles that cover the sample, overlapping by {100 * self.overlap:g} % of their length"

    def counts(self, shape: Sequence[int], tile: Sequence[slice]) -> tuple[int, ...]:
        """Number of tiles along each axis.

        Args:
            shape: Sides of the sample's array.
            tile: Slices of a crop of it.
        """
        counts = []
        for length, one in zip(shape, tile, strict=True):
            side = one.stop - one.start
            counts.append(1 if side >= length else 1 + math.ceil((length - side) / self._stride(side)))
        return tuple(counts)

    def tile(self, number: int, shape: Sequence[int], tile: Sequence[slice]) -> tuple[slice, ...]:
        """The slices of a tile; tiles are counted from 0, along the last axis first."""
        made: list[slice] = []
        for length, one, count in reversed(list(zip(shape, tile, self.counts(shape, tile), strict=True))):
            number, place = divmod(number, count)
            side = one.stop - one.start
            start = min(place * self._stride(side), length - side)
            made.append(slice(start, start + side))
        return tuple(reversed(made))

    def _stride(self, side: int) -> int:
        return max(1, round(side * (1 - self.overlap)))
