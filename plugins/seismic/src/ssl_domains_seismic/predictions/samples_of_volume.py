"""Where the samples of a volume lie in it, so that their maps can be put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError

__all__ = ["VolumeSamples", "samples_of_volume"]

_AXES = ("inline", "crossline", "depth")

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""First place and the one behind the last, along inlines, crosslines and samples."""


@dataclass(frozen=True, eq=False)
class VolumeSamples:
    """The samples of one volume, sorted by their places.

    Samples that are neighbours in the volume follow each other, so that few pages of a large file are in use at a time.

    Attributes:
        rows: Positions in the table.
        boxes: Part of the volume that the map of each sample is of, int64 ``[n, 3, 2]``: one section of it thick.
        sections: Axis across each map, int64 ``[n]``: 0 for samples along inlines, 1 along crosslines, 2 along depth.
    """

    rows: tuple[int, ...]
    boxes: NDArray[np.int64]
    sections: NDArray[np.int64]

    @property
    def hull(self) -> Box:
        """The smallest box that holds all samples."""
        first, last = self.boxes[:, :, 0].min(axis=0).tolist(), self.boxes[:, :, 1].max(axis=0).tolist()
        return (first[0], last[0]), (first[1], last[1]), (first[2], last[2])

    def place(self, number: int) -> tuple[slice, slice, slice]:
        """Part of the volume that the map of a sample is of."""
        inline, crossline, sample = (slice(int(start), int(stop)) for start, stop in self.boxes[number])
        return inline, crossline, sample

    def block(self, number: int, maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """The maps of a sample as a part of the volume.

        Args:
            number: The sample.
            maps: ``[K, H, W]``: rows are times and columns lines; of a time slice, inlines and crosslines.

        Returns:
            A view ``[K, inline, crossline, sample]`` of them.

        Raises:
            DataError: When the maps have another shape than the sample.
        """
        section = int(self.sections[number])
        upright = maps if section == 2 else maps.transpose(0, 2, 1)
        sides = (self.boxes[number, :, 1] - self.boxes[number, :, 0]).tolist()
        block = np.expand_dims(upright, section + 1)
        if block.shape[1:] != tuple(sides):
            raise DataError(f"a map of the shape {maps.shape[1:]} is of no sample of the sides {sides}", "scan again")
        return block


def samples_of_volume(rows: NDArray[np.int64], regions: pl.Series, along: Sequence[str]) -> VolumeSamples:
    """Sort the samples of a volume by place.

    Of a sample of several neighbouring sections, the map is that of the middle one.

    Args:
        rows: Positions in the table, int64 ``[n]``.
        regions: Start and stop of each sample along inlines, crosslines and samples.
        along: Axis of each sample.

    Raises:
        DataError: When a row names no axis or has no region.
    """
    unknown = set(along) - set(_AXES)
    if unknown or regions.null_count():
        raise DataError("rows of the table name no axis or no region", "scan again, or leave these rows out")
    boxes = regions.explode().to_numpy().astype(np.int64).reshape(len(rows), 3, 2)
    sections = np.array([_AXES.index(name) for name in along], dtype=np.int64)
    each = np.arange(len(rows))
    middle = (boxes[each, sections, 0] + boxes[each, sections, 1] - 1) // 2
    boxes[each, sections, 0], boxes[each, sections, 1] = middle, middle + 1
    order = np.lexsort((boxes[:, 2, 0], boxes[:, 1, 0], boxes[:, 0, 0]))
    return VolumeSamples(tuple(rows[order].tolist()), boxes[order], sections[order])
