"""Time between two rows of a picture, from the places of the samples of a table."""

from __future__ import annotations

import numpy as np
import polars as pl

from ssl_domains.samples import SampleTable

__all__ = ["row_interval_ms"]

_PLACES = ("survey", "ms", "sample_bin", "region")
_TOLERANCE = 1e-3  # of the interval: places are rounded


def row_interval_ms(table: SampleTable, size: int) -> float | None:
    """Time between two rows of the pictures of sections, ms; None where samples differ or the table doesn't show it.

    The sample interval of a survey follows from two of its samples at different depths: their distance in ms over that
    in sample numbers. A sample of more or fewer samples in time than the picture has rows is resized, which changes the
    time between rows.

    Args:
        table: Sections or patches, of which none is a time slice.
        size: Side of the pictures in pixels.
    """
    if not len(table) or any(name not in table.columns for name in _PLACES):
        return None
    ms, place = pl.col("ms"), pl.col("sample_bin")
    surveys = table.frame.group_by("survey").agg(
        known=ms.is_finite().fill_null(False).all(),
        step=(ms.max() - ms.min()) / (place.max() - place.min()),
        first=(pl.col("region").list.get(5) - pl.col("region").list.get(4)).min(),
        last=(pl.col("region").list.get(5) - pl.col("region").list.get(4)).max(),
    )
    if not surveys["known"].all() or not (surveys["first"] == surveys["last"]).all():
        return None
    intervals = (surveys["step"] * surveys["first"] / size).to_numpy()
    if not np.isfinite(intervals).all() or intervals.min() <= 0:
        return None
    return float(intervals[0]) if np.ptp(intervals) <= _TOLERANCE * intervals[0] else None
