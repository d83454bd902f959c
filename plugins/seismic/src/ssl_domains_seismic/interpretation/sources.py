"""Labels of a survey, read one inline at a time, so that no volume of them is ever whole in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import ReadError
from ssl_domains_seismic.labels import UNLABELLED, LabelGrid, PlacedLabels, class_numbers, nearest, span, zones
from ssl_domains_seismic.segy.volume import SegyVolume
from ssl_domains_seismic.survey import Survey

__all__ = ["InlineLabels", "LabelSource", "PartSource", "SegySource", "VolumeSource", "ZoneSource"]

_ON_SAMPLE = 0.01  # of the sample interval: a label this near to a sample belongs to it


@dataclass(frozen=True)
class InlineLabels:
    """Labels of some crosslines of an inline.

    Attributes:
        values: Class numbers, uint8 ``[crossline, sample]``, with all samples of the survey.
        crosslines: Place of each crossline in the survey; None for all of them.
    """

    values: NDArray[np.uint8]
    crosslines: NDArray[np.int64] | None = None


class LabelSource(Protocol):
    """Class numbers on the grid of a survey."""

    @property
    def size(self) -> int:
        """How much of it lies in the survey; compared between surveys for one file only."""
        ...

    def inline(self, place: int) -> InlineLabels | None:
        """The labels of an inline; None where it has none.

        Raises:
            ReadError: When values are no class numbers, or the file can't be read any more.
        """
        ...


@dataclass(frozen=True)
class PartSource:
    """Labels of some lines and samples, such as a section."""

    labels: PlacedLabels
    shape: tuple[int, int, int]

    @property
    def size(self) -> int:
        """Labelled voxels."""
        return int((self.labels.values != UNLABELLED).sum())

    def inline(self, place: int) -> InlineLabels | None:
        """See `LabelSource`."""
        row = np.flatnonzero(self.labels.inlines == place)
        if not row.size:
            return None
        values = np.full((self.labels.crosslines.size, self.shape[2]), UNLABELLED, dtype=np.uint8)
        values[:, self.labels.samples] = self.labels.values[row[0]]
        return InlineLabels(values, self.labels.crosslines)


@dataclass(frozen=True)
class VolumeSource:
    """A mapped array ``[inline, crossline, sample]`` in the shape of the survey."""

    array: NDArray[np.generic]

    @property
    def size(self) -> int:
        """Voxels."""
        return self.array.size

    def inline(self, place: int) -> InlineLabels | None:
        """See `LabelSource`."""
        return InlineLabels(class_numbers(self.array[place]))


@dataclass(frozen=True)
class ZoneSource:
    """Zones between horizons: 1 above the first, 2 below it, and so on.

    Attributes:
        times: float64 ``[horizon, inline, crossline]``.
        grid: The survey.
    """

    times: NDArray[np.float64]
    grid: LabelGrid

    @property
    def size(self) -> int:
        """Traces on which every horizon was picked."""
        return int((~np.isnan(self.times).any(0)).sum())

    def inline(self, place: int) -> InlineLabels | None:
        """See `LabelSource`."""
        one = slice(place, place + 1)
        if np.isnan(self.times[:, one]).any(0).all():
            return None
        line = LabelGrid(self.grid.inlines[one], self.grid.crosslines, self.grid.ms)
        counts = zones(list(self.times[:, one]), line).values[0]
        return InlineLabels(np.where(counts == UNLABELLED, UNLABELLED, counts + 1).astype(np.uint8))


@dataclass(frozen=True)
class SegySource:
    """A SEG-Y file of class numbers, placed by line numbers and times.

    Attributes:
        volume: Its samples.
        inlines: Place in it of each inline of the survey; −1 where it has none.
        crosslines: The same for crosslines.
        samples: The same for samples.
        outside: Lines of the file that the survey does not have.
    """

    volume: SegyVolume
    inlines: NDArray[np.int64]
    crosslines: NDArray[np.int64]
    samples: NDArray[np.int64]
    outside: int

    @classmethod
    def of(cls, survey: Survey, ms: NDArray[np.float64], grid: LabelGrid) -> SegySource:
        """Place a file.

        Args:
            survey: The file.
            ms: Times of its samples, in the unit of the grid.
            grid: The survey that it labels.

        Raises:
            ReadError: When lines or times do not fit; with those of both.
        """
        numbers = survey.grid.inline.numbers(), survey.grid.crossline.numbers()
        places = []
        for own, wanted, word in zip(numbers, (grid.inlines, grid.crosslines), ("inlines", "crosslines"), strict=True):
            place = nearest(own, wanted.astype(np.float64), 0.0)
            if (place < 0).all():
                raise ReadError(
                    f"its {own.size:,} {word} are {span(own)}, the {wanted.size:,} of the survey {span(wanted)}"
                )
            places.append(place)
        step = float(np.median(np.diff(grid.ms))) if grid.ms.size > 1 else 1.0
        samples = nearest(ms, grid.ms, _ON_SAMPLE * step)
        fitting = int((samples >= 0).sum())
        if fitting < min(ms.size, grid.ms.size):
            raise ReadError(
                f"its {ms.size:,} samples are {span(ms)}, the {grid.ms.size:,} of the survey {span(grid.ms)}: "
                f"{fitting:,} lie at one time"
            )
        outside = sum(own.size - int((place >= 0).sum()) for own, place in zip(numbers, places, strict=True))
        return cls(survey.volume, places[0], places[1], samples, outside)

    @property
    def size(self) -> int:
        """Traces of the grid that it has."""
        return int((self.inlines >= 0).sum()) * int((self.crosslines >= 0).sum())

    def inline(self, place: int) -> InlineLabels | None:
        """See `LabelSource`."""
        row = int(self.inlines[place])
        if row < 0:
            return None
        try:
            read, valid = self.volume.read((slice(row, row + 1), slice(None), slice(None)))
        except DataError as error:
            raise ReadError(str(error)) from error
        classes = class_numbers(read[0])
        if valid is not None:
            classes[~np.broadcast_to(valid[0], classes.shape)] = UNLABELLED
        plane: NDArray[np.uint8] = classes[np.ix_(np.maximum(self.crosslines, 0), np.maximum(self.samples, 0))]
        plane[self.crosslines < 0] = UNLABELLED
        plane[:, self.samples < 0] = UNLABELLED
        return InlineLabels(plane)
