"""Depth and mean amplitude of samples: what a pair rule may turn out to be in disguise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import Regions, SampleTable, Unreadable, read_guarded, regions_of
from ssl_domains_seismic.reader import SeismicReader

__all__ = ["measured"]

_DEPTHS = ("ms", "depth_m", "sample_bin")
_ROWS = 4096  # samples whose amplitude is read
_SIDE = 48  # places that are read along each side of a sample, evenly spaced


def measured(table: SampleTable) -> Mapping[str, NDArray[np.float64]]:
    """``depth``, as time, metres or sample number; and ``amplitude``, the mean magnitude of 4,096 samples at most.

    Amplitudes of other samples, and of files that can't be read, are NaN. Surveys may mix times and depths: then the
    depth is the number of the sample.
    """
    made: dict[str, NDArray[np.float64]] = {}
    for name in _DEPTHS:
        if name in table.columns and table.frame[name].null_count() == 0:
            made["depth"] = table.numbers(name)
            break
    regions = regions_of([table])
    if regions is not None and "path" in table.columns:
        made["amplitude"] = _amplitudes(table, regions[0])
    return made


def _amplitudes(table: SampleTable, regions: Regions) -> NDArray[np.float64]:
    amplitudes = np.full(len(table), np.nan)
    drawn = np.random.default_rng(0).permutation(np.flatnonzero(regions.arrays >= 0))[:_ROWS]
    order = sorted(drawn.tolist(), key=table.frame["path"].to_list().__getitem__)
    reader = SeismicReader()
    for row in order:
        values = table.frame.row(row, named=True)
        ends = zip(regions.starts[row].tolist(), regions.stops[row].tolist(), strict=True)
        part = [slice(start, stop, max(1, (stop - start) // _SIDE)) for start, stop in ends]
        found = read_guarded(lambda values=values, part=part: _amplitude(reader, values, part), values["path"])  # type: ignore[misc]
        amplitudes[row] = np.nan if isinstance(found, Unreadable) else found
    return amplitudes


def _amplitude(reader: SeismicReader, row: Mapping[str, Any], part: Sequence[slice]) -> float:
    read, valid = reader.open(row).read(part)
    shown = np.isfinite(read) if valid is None else np.isfinite(read) & valid
    return float(np.abs(read[shown].astype(np.float64)).mean()) if shown.any() else float("nan")
