"""Amplitudes of a few traces: their range, and the symmetric clip that a scaling would have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ssl_domains.samples import ReadError
from ssl_domains_seismic.survey import Survey

__all__ = ["Amplitudes", "amplitudes_of"]

_TRACES = 200
_BINS = 32
_MARKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Amplitudes:
    """Amplitudes of live traces at equal distances.

    Attributes:
        low: Smallest.
        high: Largest.
        clip: 99.5th percentile of the magnitudes.
        zero: Share of samples that are exactly 0.
        histogram: Counts between −clip and clip, as a line of text.
        traces: How many traces were read.
        not_finite: Share of samples that are NaN or infinite.
    """

    low: float
    high: float
    clip: float
    zero: float
    histogram: str
    traces: int
    not_finite: float


def amplitudes_of(survey: Survey) -> Amplitudes | None:
    """Read some live traces; None when there is no finite sample.

    Raises:
        ReadError: When no trace is live.
    """
    cells = np.argwhere(survey.grid.live())
    if not len(cells):
        raise ReadError("no trace of the file is live")
    chosen = cells[np.unique(np.linspace(0, len(cells) - 1, num=_TRACES, dtype=np.int64))]
    whole = slice(0, survey.layout.samples)
    values = np.concatenate(
        [
            survey.volume.read((slice(i, i + 1), slice(j, j + 1), whole))[0].reshape(-1).astype(np.float64)
            for i, j in chosen.tolist()
        ]
    )
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    clip = float(np.percentile(np.abs(finite), 99.5))
    counts = np.histogram(finite, bins=_BINS, range=(-(clip or 1.0), clip or 1.0))[0]
    level = np.ceil(counts / max(int(counts.max()), 1) * (len(_MARKS) - 1)).astype(np.int64)
    return Amplitudes(
        low=float(finite.min()),
        high=float(finite.max()),
        clip=clip,
        zero=float((finite == 0).mean()),
        histogram="".join(_MARKS[one] for one in level.tolist()),
        traces=len(chosen),
        not_finite=1 - len(finite) / len(values),
    )
