"""A survey of a scan, as labels need it: the grid that they are placed on, and the samples that get columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from ssl_domains_seismic.geometry.coordinates import FOOT
from ssl_domains_seismic.labels import LabelGrid
from ssl_domains_seismic.places import Places
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.survey import open_survey

__all__ = ["SampledSurvey"]


@dataclass(frozen=True)
class SampledSurvey:
    """A file that was scanned.

    Attributes:
        frame: Its samples, with ``region``, ``along`` and the columns of places.
        name: Its name in the table.
        path: The file.
        places: Its lines, times and coordinates.
        reading: How its headers were read.
    """

    frame: pl.DataFrame
    name: str
    path: Path
    places: Places
    reading: Reading

    @cached_property
    def feet(self) -> bool:
        """Whether the file's lengths are in feet."""
        return self.path.suffix.lower() != ".npy" and open_survey(self.path, self.reading).layout.header.feet

    @cached_property
    def vertical_unit(self) -> float:
        """Factor from the vertical unit of interpreters' files to that of the table: feet of depth are metres there."""
        return FOOT if self.feet and self.places.unit == "m" else 1.0

    @cached_property
    def grid(self) -> LabelGrid:
        """The grid in the units of the file, in which its interpretation is: metres or feet, ms or depths."""
        places = self.places
        step = 1.0 if places.step is None else places.step
        times = (places.start + step * np.arange(places.shape[2])) / self.vertical_unit
        if places.fit is None:
            return LabelGrid(places.inline, places.crossline, times)
        metres = FOOT if self.feet else 1.0
        vectors = np.array([places.fit.inline, places.fit.crossline]).T / metres
        first = np.array([places.inline[0], places.crossline[0]], dtype=np.float64)
        steps = [float(lines[1] - lines[0]) if lines.size > 1 else 1.0 for lines in (places.inline, places.crossline)]
        vectors = vectors / steps
        origin = np.array(places.fit.origin) / metres - vectors @ first
        return LabelGrid(places.inline, places.crossline, times, np.column_stack([vectors, origin]))

    def covers(self, other: SampledSurvey) -> bool:
        """Whether both are known to be one place: equal lines, times and coordinates, as of two stacks of one area."""
        one, two = self.grid, other.grid
        if one.affine is None or two.affine is None or one.shape != two.shape:
            return False
        corners = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]], dtype=np.float64)
        corners[:, 0] = np.where(corners[:, 0] > 0, one.inlines[-1], one.inlines[0])
        corners[:, 1] = np.where(corners[:, 1] > 0, one.crosslines[-1], one.crosslines[0])
        apart = np.hypot(*((one.affine - two.affine) @ corners.T)).max()
        bins = self.places.fit.bins if self.places.fit is not None else (0.0, 0.0)
        return (
            np.array_equal(one.inlines, two.inlines)
            and np.array_equal(one.crosslines, two.crosslines)
            and np.allclose(one.ms, two.ms)
            and bool(apart < min(bins) / 2)
        )
