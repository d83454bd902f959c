"""A volume with the places of its axes: line numbers, times, metres and holes; what samples are cut from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.geometry.coordinates import MapFit
from ssl_domains_seismic.survey import Survey

__all__ = ["Places", "places_of_array", "places_of_survey"]


@dataclass(frozen=True)
class Places:
    """A volume ``[inline, crossline, sample]`` and what its places are.

    Attributes:
        shape: Inlines, crosslines, samples.
        dtype: Name of the type of its numbers.
        inline: Inline numbers, int64.
        crossline: Crossline numbers, int64.
        start: Time of the first sample in ms, or depth in m.
        step: Distance of samples; None where it isn't known.
        unit: ``"ms"`` or ``"m"``.
        live: Cells with data, bool ``[inline, crossline]``; None when all have.
        fit: Place on the map; None where it isn't known.
        line: Whether it is a 2-D line: one inline whose crosslines are trace numbers.
    """

    shape: tuple[int, int, int]
    dtype: str
    inline: NDArray[np.int64]
    crossline: NDArray[np.int64]
    start: float
    step: float | None
    unit: str
    live: NDArray[np.bool_] | None
    fit: MapFit | None
    line: bool


def places_of_survey(survey: Survey) -> Places:
    """The places of a SEG-Y file."""
    grid, live = survey.grid, survey.grid.live()
    return Places(
        shape=survey.volume.shape,
        dtype=survey.volume.dtype.name,
        inline=grid.inline.numbers(),
        crossline=grid.crossline.numbers(),
        start=survey.start,
        step=survey.step,
        unit=survey.unit,
        live=None if live.all() else live,
        fit=None if survey.lines is None else survey.lines.fit,
        line=survey.lines is None,
    )


def places_of_array(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Places:
    """The places of a ``.npy`` volume in the layout of the F3 benchmark: lines count from 0, times are unknown."""
    inlines, crosslines, samples = shape
    return Places(
        shape=(inlines, crosslines, samples),
        dtype=np.dtype(dtype).newbyteorder("=").name,
        inline=np.arange(inlines, dtype=np.int64),
        crossline=np.arange(crosslines, dtype=np.int64),
        start=0.0,
        step=None,
        unit="ms",
        live=None,
        fit=None,
        line=False,
    )
