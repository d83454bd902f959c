"""Horizons: one time for each trace, from the text files that interpretation programs export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_seismic.labels.grid import UNLABELLED, LabelGrid, PlacedLabels
from ssl_domains_seismic.labels.horizon_columns import (
    HorizonColumns,
    cells_of,
    is_undefined,
    recognised,
    within_times,
)
from ssl_domains_seismic.labels.number_table import read_number_table

__all__ = ["Horizon", "read_horizon", "zones"]


@dataclass(frozen=True)
class Horizon:
    """A horizon on the grid of a survey, and what became of each row of its file.

    Attributes:
        times: float64 ``[inline, crossline]`` in ms; NaN where the horizon was not picked.
        columns: What the columns were taken for.
        picks: Rows that were placed.
        undefined: Rows whose time stands for a missing pick, such as 1e30; counted before the other reasons.
        outside: Rows whose lines or coordinates are no cell of the survey.
        beyond: Rows whose time is before the first or after the last sample.
        repeated: Rows of a cell that has a row already; the earliest time of a cell is taken.
        skipped: Lines of the file that are no rows, such as its header.
    """

    times: NDArray[np.float64]
    columns: HorizonColumns
    picks: int
    undefined: int
    outside: int
    beyond: int
    repeated: int
    skipped: int

    def sentence(self) -> str:
        """What was read, for the user: ``"6 picks, 1 undefined, 3 lines skipped"``."""
        counts = {
            "undefined": self.undefined,
            "outside the survey": self.outside,
            "before or after its samples": self.beyond,
            "of cells that have an earlier one": self.repeated,
        }
        lines = [f"{self.skipped:,} line{'s' * (self.skipped != 1)} skipped"] if self.skipped else []
        said = [f"{count:,} {what}" for what, count in counts.items() if count]
        return ", ".join([f"{self.picks:,} pick{'s' * (self.picks != 1)}", *said, *lines])


def read_horizon(path: Path, grid: LabelGrid, columns: Sequence[str] | None = None) -> Horizon:
    """Read a horizon.

    Lines before and after the table, and words between its numbers, are passed over. What the columns are is
    recognised by what fits the survey. A row is placed by its line numbers (``326.0`` is line 326), or in the nearest
    cell of its coordinates; the order of rows says nothing. Times may be in ms or s, and negative as in files of
    depths below a datum.

    Args:
        path: The file.
        grid: The survey.
        columns: What each column of numbers is: ``inline``, ``crossline``, ``x``, ``y``, ``time`` or ``-``; None
            recognises them.

    Raises:
        ReadError: When it holds no table, nothing in it fits the survey, or several choices of columns fit equally.
    """
    table = read_number_table(path)
    chosen = recognised(table, grid, columns)
    place = cells_of(table.values, grid, chosen.lines, chosen.coordinates)
    stored = table.values[:, chosen.time]
    undefined = is_undefined(stored, grid.ms)
    times = np.where(undefined, np.nan, chosen.factor * stored)
    outside = ~undefined & (place[0] < 0)
    beyond = ~undefined & ~outside & ~within_times(times, grid.ms)
    good = ~(undefined | outside | beyond)
    if not good.any():
        raise ReadError(f"none of its {len(stored):,} rows has a time in the survey")
    cell = np.ravel_multi_index((place[0][good], place[1][good]), grid.shape[:2])
    earliest = np.full(grid.shape[0] * grid.shape[1], np.inf)
    np.minimum.at(earliest, cell, times[good])
    filled = np.isfinite(earliest)
    return Horizon(
        times=np.where(filled, earliest, np.nan).reshape(grid.shape[:2]),
        columns=chosen,
        picks=int(filled.sum()),
        undefined=int(undefined.sum()),
        outside=int(outside.sum()),
        beyond=int(beyond.sum()),
        repeated=int(good.sum() - filled.sum()),
        skipped=table.skipped,
    )


def zones(horizons: Sequence[NDArray[np.float64]], grid: LabelGrid) -> PlacedLabels:
    """The zone of every voxel: how many of the horizons lie above it, or at its time.

    Traces on which any horizon was not picked are unlabelled.

    Args:
        horizons: Times in ms, each ``[inline, crossline]``, in any order.
        grid: The survey.
    """
    stacked = np.stack(horizons)
    values = np.zeros(grid.shape, dtype=np.uint8)
    for times in stacked:
        values += (grid.ms >= times[..., None]).astype(np.uint8)
    values[np.isnan(stacked).any(0)] = UNLABELLED
    places = [np.arange(size) for size in grid.shape]
    return PlacedLabels(values, *places)
