"""One time slice of the survey of a sample table: its amplitudes, labels, lines and held-out cells."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.samples import ReadError, SampleTable
from ssl_domains_seismic.geometry.coordinates import MapFit
from ssl_domains_seismic.labels.grid import UNLABELLED
from ssl_domains_seismic.places import Places, places_of_array, places_of_survey
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.reading import reading_of
from ssl_domains_seismic.survey import open_survey

if TYPE_CHECKING:
    from ssl_domains_seismic.slices.plane import Plane

__all__ = ["SurveySlice", "held_out_cells", "outlines"]

_LINE = re.compile(r"\s*(il|xl)\s*:\s*(-?\d+)\s*", re.IGNORECASE)
_READ_BY = ("lines", "samples_as", "coordinates", "vertical")


@dataclass(frozen=True)
class SurveySlice:
    """A time slice.

    Attributes:
        rows: The samples of the survey.
        places: Its axes.
        sample: Number of the slice.
    """

    rows: SampleTable
    places: Places
    sample: int

    @classmethod
    def of(cls, table: SampleTable, survey: str | None, vertical: float) -> SurveySlice:
        """Find the slice.

        Args:
            table: Samples of one or several surveys.
            survey: Name of the survey; None takes the first.
            vertical: Time in ms, or depth in metres; the nearest sample is taken.

        Raises:
            UsageError: For a table without volumes, an unknown survey, or a time outside of it.
            DataError: When the file of the survey can't be read.
        """
        if not {"survey", "region", "along"} <= set(table.columns) or not len(table):
            raise UsageError("the table has no samples of volumes", "give one that `ssl-domains seismic scan` made")
        names = table.frame["survey"].drop_nulls().unique(maintain_order=True).to_list()
        chosen = names[0] if survey is None else survey
        if chosen not in names:
            raise UsageError(f"the table has no survey {survey!r}", did_you_mean(str(survey), names))
        rows = table.take(np.flatnonzero((table.frame["survey"] == chosen).fill_null(False).to_numpy()))
        places = _places(rows.frame.row(0, named=True))
        step = places.step or 1.0
        sample = round((vertical - places.start) / step) if math.isfinite(vertical) else -1
        if not 0 <= sample < places.shape[2]:
            last = places.start + step * (places.shape[2] - 1)
            raise UsageError(
                f"{vertical:g} {places.unit} is outside of the survey",
                f"it has {places.start:g} to {last:g} {places.unit}",
            )
        return cls(rows, places, sample)

    @property
    def shape(self) -> tuple[int, int]:
        """Inlines and crosslines."""
        return self.places.shape[:2]

    @property
    def fit(self) -> MapFit | None:
        """Place on the map."""
        return self.places.fit

    @property
    def where(self) -> str:
        """The slice in words: ``"1,420 ms"``."""
        at = self.places.start + (self.places.step or 1.0) * self.sample
        return f"{at:,g} {self.places.unit}" if self.places.step is not None else f"sample {self.sample:,}"

    @cached_property
    def _row(self) -> dict[str, Any]:
        return self.rows.frame.row(0, named=True)

    def amplitudes(self, every: int) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Values of every such inline and crossline, and which cells have data.

        Raises:
            DataError: When they can't be read.
        """
        values = self._read(self._row)[::every, ::every]
        live = np.isfinite(values)
        if self.places.live is not None:
            live &= self.places.live[::every, ::every]
        return values, live

    def plane_of(self, path: Path) -> NDArray[np.generic]:
        """Class numbers of this slice of a volume on the same grid, such as a prediction.

        Where the survey has no trace they are 255.

        Raises:
            DataError: When it can't be read, or has another grid.
        """
        row = {name: self._row.get(name) for name in ("lines", "coordinates", "vertical")} | {"path": str(path)}
        classes = self._read(row)
        return classes if self.places.live is None else np.where(self.places.live, classes, UNLABELLED)

    def labels(self) -> NDArray[np.uint8] | None:
        """Class numbers of the slice, uint8 ``[inline, crossline]``, 255 unlabelled; None without labels.

        Raises:
            DataError: When they can't be read.
        """
        if "mask_path" not in self.rows.columns:
            return None
        paths = self.rows.frame["mask_path"].drop_nulls()
        if not len(paths):
            return None
        classes: NDArray[np.uint8] = self._read({"path": str(paths[0])}).astype(np.uint8)
        return classes

    def line(self, text: str) -> NDArray[np.float64]:
        """The ends of a line such as ``"il:300"`` in bins, float64 ``[2, 2]``.

        Raises:
            UsageError: When it can't be read, or is not in the survey.
        """
        found = _LINE.fullmatch(text)
        if found is None:
            raise UsageError(f"--line {text!r} is no line", "write --line il:300 or --line xl:1016")
        along_inline = found[1].lower() == "il"
        numbers = self.places.inline if along_inline else self.places.crossline
        at = np.flatnonzero(numbers == int(found[2]))
        if not at.size:
            raise UsageError(f"--line {text}: not in the survey", f"its lines are {numbers[0]} to {numbers[-1]}")
        place, last = float(at[0]), self.shape[1 if along_inline else 0] - 0.5
        ends = [[place, -0.5], [place, last]] if along_inline else [[-0.5, place], [last, place]]
        return np.array(ends)

    def _read(self, row: dict[str, Any]) -> NDArray[np.generic]:
        path = Path(row["path"])
        try:
            volume = SeismicReader().open(row)
            if tuple(volume.shape[:3]) != tuple(self.places.shape):
                have = " × ".join(map(str, volume.shape[:3]))
                raise DataError(
                    f"{path.name} has {have} cells, the survey has {' × '.join(map(str, self.places.shape))}",
                    "give a volume on the grid of the survey",
                )
            part = (slice(0, self.shape[0]), slice(0, self.shape[1]), slice(self.sample, self.sample + 1), slice(0, 1))
            values: NDArray[np.generic] = volume.read(part)[0][:, :, 0, 0]
        except ReadError as error:
            raise DataError(f"{path.name} can't be read: {error}", "is the file where it was?") from error
        return values


def held_out_cells(shown: SurveySlice) -> NDArray[np.bool_]:
    """Cells that a sample of the table's ``split`` ``test`` covers on this slice, bool ``[inline, crossline]``."""
    held = np.zeros(shown.shape, dtype=np.bool_)
    if "split" not in shown.rows.columns:
        return held
    test = (shown.rows.frame["split"] == "test").fill_null(False).to_numpy()
    ends = shown.rows.frame["region"].explode().to_numpy().astype(np.int64).reshape(len(shown.rows), 6)
    for i0, i1, x0, x1, t0, t1 in ends[test].tolist():
        if t0 <= shown.sample < t1:
            held[i0:i1, x0:x1] = True
    return held


def outlines(shown: SurveySlice, plane: Plane) -> list[tuple[str, bool]]:
    """The blocks of the table: SVG points of the smallest rectangle around the samples of each, and whether it is
    held out."""
    frame = shown.rows.frame
    if "block" not in frame.columns:
        return []
    ends = frame["region"].explode().to_numpy().astype(np.int64).reshape(len(frame), 6)
    names = frame["block"].to_list()
    held = frame["split"].to_list() if "split" in frame.columns else [None] * len(frame)
    out = []
    for name in sorted({one for one in names if one is not None}):
        own = np.array([one == name for one in names])
        (i0, x0), (i1, x1) = ends[own][:, [0, 2]].min(axis=0) - 0.5, ends[own][:, [1, 3]].max(axis=0) - 0.5
        corners = np.array([[i0, x0], [i0, x1], [i1, x1], [i1, x0]])
        tested = any(one == "test" for one, mine in zip(held, own.tolist(), strict=True) if mine)
        out.append((plane.polyline(corners), tested))
    return out


def _places(row: dict[str, Any]) -> Places:
    try:
        if str(row["path"]).lower().endswith(".npy"):
            volume = SeismicReader().open(row)
            return places_of_array((volume.shape[0], volume.shape[1], volume.shape[2]), volume.dtype)
        return places_of_survey(open_survey(row["path"], reading_of(*(row.get(name) for name in _READ_BY))))
    except ReadError as error:
        raise DataError(f"{Path(row['path']).name} can't be read: {error}", "scan again") from error
