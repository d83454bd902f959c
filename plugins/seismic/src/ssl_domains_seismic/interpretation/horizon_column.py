"""Times of samples from a horizon."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains_seismic.interpretation.surveys import SampledSurvey

__all__ = ["horizon_column"]

_VERTICAL = {"ms": "ms", "m": "depth_m"}


def horizon_column(survey: SampledSurvey, frame: pl.DataFrame, times: NDArray[np.float64]) -> pl.DataFrame | None:
    """Add ``relative_to_horizon_ms``: time of each sample's centre minus the time of the horizon there.

    Below the horizon it is positive. A centre between two traces takes the mean of them; it is null where the horizon
    was not picked. Depths give ``relative_to_horizon_m``, in metres.

    Args:
        survey: The survey.
        frame: Its samples.
        times: Times of the horizon in the units of the survey's file, float64 ``[inline, crossline]``; NaN without a
            pick.

    Returns:
        The frame with the column; None when no header of the survey says times.
    """
    unit = survey.places.unit
    if _VERTICAL[unit] not in frame.columns:
        return None
    inline, crossline = (frame[name].to_numpy() for name in ("inline_bin", "crossline_bin"))
    around = [
        times[down(inline).astype(np.int64), right(crossline).astype(np.int64)]
        for down in (np.floor, np.ceil)
        for right in (np.floor, np.ceil)
    ]
    there = np.mean(around, axis=0) * survey.vertical_unit
    relative = frame[_VERTICAL[unit]].to_numpy() - there
    return frame.with_columns(pl.Series(f"relative_to_horizon_{unit}", relative, nan_to_null=True))
