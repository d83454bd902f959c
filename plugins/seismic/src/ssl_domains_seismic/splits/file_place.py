"""Where a volume lies on the map and in time: from the rows of a sample table, else from the headers of the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import ReadError
from ssl_domains_seismic.geometry.coordinates import MapFit
from ssl_domains_seismic.places import places_of_survey
from ssl_domains_seismic.reading import OPTIONS, reading_of
from ssl_domains_seismic.survey import open_survey

__all__ = ["FilePlace", "file_place", "place_with_times"]

_MAP = ("inline_bin", "crossline_bin", "x_m", "y_m")


@dataclass(frozen=True)
class FilePlace:
    """The place of a volume.

    Attributes:
        name: Name of the volume, as in the column ``array``.
        fit: Place on the map; None where it isn't known.
        start: Time of the first sample in ms, or its depth in m.
        step: Distance of samples in the same unit; None where it isn't known.
        unit: ``"ms"`` or ``"m"``.
        problem: Why the place isn't known, although the table has coordinates; None otherwise.
    """

    name: str
    fit: MapFit | None
    start: float = 0.0
    step: float | None = None
    unit: str = "ms"
    problem: str | None = None


def file_place(rows: pl.DataFrame) -> FilePlace:
    """The place of the volume that all rows are cut from.

    Rows that lie in one line of the map, such as whole inlines, don't tell the other direction: then the headers of the
    file are read.

    Args:
        rows: Rows of a scanned table, all of one file.
    """
    name = str(rows["array"][0]) if "array" in rows.columns else str(rows["path"][0])
    unit, column = ("ms", "ms") if _known(rows, "ms") else ("m", "depth_m")
    if not all(_known(rows, one) for one in _MAP):
        return FilePlace(name, None)
    fit, axis = _map(rows), _vertical(rows, column)
    if fit is not None and axis is not None:
        return FilePlace(name, fit, axis[0], axis[1], unit)
    return _from_headers(name, rows.row(0, named=True))


def place_with_times(rows: pl.DataFrame) -> FilePlace:
    """As `file_place`, with the times or depths also of a volume whose place on the map isn't known.

    Args:
        rows: Rows of a scanned table, all of one file.
    """
    place = file_place(rows)
    if place.step is not None or place.problem is not None:
        return place
    for unit, column in (("ms", "ms"), ("m", "depth_m")):
        if _known(rows, column):
            axis = _vertical(rows, column)
            if axis is None:
                return _from_headers(place.name, rows.row(0, named=True))
            return replace(place, start=axis[0], step=axis[1], unit=unit)
    return place


def _known(rows: pl.DataFrame, name: str) -> bool:
    return name in rows.columns and rows[name].null_count() == 0


def _numbers(rows: pl.DataFrame, name: str) -> NDArray[np.float64]:
    return rows[name].cast(pl.Float64).to_numpy().astype(np.float64)


def _map(rows: pl.DataFrame) -> MapFit | None:
    distinct = rows.select(_MAP).unique(("inline_bin", "crossline_bin"), maintain_order=True)
    inline, crossline = _numbers(distinct, "inline_bin"), _numbers(distinct, "crossline_bin")
    design = np.stack([np.ones(len(distinct)), inline, crossline], axis=1)
    if np.linalg.matrix_rank(design) < 3:
        return None
    xy = np.stack([_numbers(distinct, "x_m"), _numbers(distinct, "y_m")], axis=1)
    centre = xy.mean(axis=0)
    solved = np.linalg.lstsq(design, xy - centre, rcond=None)[0]
    residual = float(np.sqrt(((design @ solved + centre - xy) ** 2).sum(axis=1).mean()))
    origin, along, across = ((float(x), float(y)) for x, y in (solved[0] + centre, solved[1], solved[2]))
    return MapFit(origin, along, across, residual)


def _vertical(rows: pl.DataFrame, column: str) -> tuple[float, float] | None:
    """(time or depth of the first sample, distance of samples); None where all rows lie at one time."""
    if not _known(rows, column):
        return None
    bins, values = _numbers(rows, "sample_bin"), _numbers(rows, column)
    first, last = int(bins.argmin()), int(bins.argmax())
    if bins[first] == bins[last]:
        return None
    step = float((values[last] - values[first]) / (bins[last] - bins[first]))
    return float(values[first] - step * bins[first]), step


def _from_headers(name: str, row: Mapping[str, Any]) -> FilePlace:
    try:
        reading = reading_of(*(row.get(option) for option in OPTIONS))
        places = places_of_survey(open_survey(str(row["path"]), replace(reading, index=row.get("index_path"))))
    except (ReadError, DataError, OSError) as error:
        return FilePlace(name, None, problem=str(error))
    return FilePlace(name, places.fit, places.start, places.step, places.unit)
