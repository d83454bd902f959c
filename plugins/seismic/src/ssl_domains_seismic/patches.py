"""Rows of a sample table: the sections or patches of a volume, with their places in bins, lines, metres and ms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_seismic.places import Places
from ssl_domains_seismic.sampling import Sampling

__all__ = ["Cut", "patches_of"]

_SIDES = {"inline": (0, 2, 1), "crossline": (1, 2, 0), "depth": (2, 0, 1)}
"""Axis of the sections, axis of the rows, axis of the columns of a sample's picture."""


@dataclass(frozen=True)
class Cut:
    """The samples of one volume.

    Attributes:
        frame: Rows with ``region``, ``along`` and the columns of places.
        empty: Samples left out because too few of their traces have data.
        across: The sentence for samples of which none lies inside one block; None when some do.
    """

    frame: pl.DataFrame
    empty: int
    across: str | None = None


def patches_of(places: Places, sampling: Sampling) -> Cut:
    """Cut a volume into samples.

    Patches lie side by side (or at the stride) from the first line and time of the part on; a rest at the end that is
    smaller than a patch is in none, unless ``sampling.edges`` adds a patch that ends there. A side that is shorter than
    a patch is taken whole.

    Raises:
        ReadError: When the part of the survey that is asked for has no place in it.
    """
    part = [_part("inline", places.inline, sampling.inline), _part("crossline", places.crossline, sampling.crossline)]
    part.append(_vertical(places, sampling))
    usable = [along for along in sampling.along if not (places.line and along != "inline")]
    if not usable:
        raise ReadError("a 2-D line has sections along inline only: add --along inline")
    found = [_regions(part, along, sampling) for along in usable]
    regions = np.concatenate(found)
    names = np.repeat(np.array(usable), [len(one) for one in found])
    live = _live(places.live, regions)
    kept = (live > 0) & (live >= sampling.live)
    block = _blocks(part, regions[kept], sampling.blocks)
    frame = _frame(places, regions[kept], names[kept].tolist(), live[kept]).with_columns(block=block)
    none = len(block) > 0 and block.null_count() == len(block)
    return Cut(frame, int((~kept).sum()), _across(part, regions[kept], sampling.blocks) if none else None)


def _part(name: str, numbers: NDArray[np.int64], ends: tuple[float | None, float | None]) -> tuple[int, int]:
    """First place and the one behind the last of a range of numbers."""
    low, high = ends
    inside = np.ones(len(numbers), dtype=np.bool_)
    if low is not None:
        inside &= numbers >= low
    if high is not None:
        inside &= numbers <= high
    found = np.flatnonzero(inside)
    if not len(found):
        asked = f"{'' if low is None else f'{low:g}'}:{'' if high is None else f'{high:g}'}"
        raise ReadError(f"no {name} of {asked}: the file has {numbers[0]} to {numbers[-1]}")
    return int(found[0]), int(found[-1]) + 1


def _vertical(places: Places, sampling: Sampling) -> tuple[int, int]:
    if sampling.vertical == (None, None):
        return 0, places.shape[2]
    if places.step is None:
        raise ReadError("--ms asks for times, and no header of the file says the sample interval")
    times = places.start + places.step * np.arange(places.shape[2])
    low, high = sampling.vertical
    inside = np.ones(len(times), dtype=np.bool_)
    slack = 1e-6 * places.step
    if low is not None:
        inside &= times >= low - slack
    if high is not None:
        inside &= times <= high + slack
    found = np.flatnonzero(inside)
    if not len(found):
        raise ReadError(f"no sample within --ms: the file has {times[0]:g} to {times[-1]:g} {places.unit}")
    return int(found[0]), int(found[-1]) + 1


def _regions(part: list[tuple[int, int]], along: str, sampling: Sampling) -> NDArray[np.int64]:
    """Start and stop along each axis of the samples along one axis, int64 ``[n, 6]``."""
    section, rows, columns = _SIDES[along]
    starts: list[NDArray[np.int64]] = [np.empty(0, np.int64)] * 3
    sides = [1, 1, 1]
    half = sampling.channels // 2
    first, last = part[section]
    starts[section] = np.arange(first + half, last - half, sampling.every, dtype=np.int64) - half
    sides[section] = sampling.channels
    for number, axis in enumerate((rows, columns)):
        first, last = part[axis]
        side = last - first if sampling.patch is None else min(sampling.patch[number], last - first)
        stride = side if sampling.stride is None else sampling.stride[number]
        starts[axis] = np.arange(first, last - side + 1, stride, dtype=np.int64)
        if sampling.edges and starts[axis][-1] != last - side:
            starts[axis] = np.append(starts[axis], last - side)
        sides[axis] = side
    grid = np.stack(np.meshgrid(*starts, indexing="ij"), axis=-1).reshape(-1, 3)
    made = np.stack([grid, grid + np.array(sides)], axis=2)
    return np.asarray(made.reshape(-1, 6))


def _live(live: NDArray[np.bool_] | None, regions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the traces of each region that have data, float64 ``[n]``."""
    if live is None:
        return np.ones(len(regions))
    sums = np.zeros((live.shape[0] + 1, live.shape[1] + 1), dtype=np.int64)
    sums[1:, 1:] = live.cumsum(axis=0).cumsum(axis=1)
    top, bottom, left, right = (regions[:, column] for column in range(4))
    inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return np.asarray(inside / ((bottom - top) * (right - left)))


def _blocks(part: list[tuple[int, int]], regions: NDArray[np.int64], counts: tuple[int, int]) -> pl.Series:
    """Block of each region, such as ``"2-1"``: part of the inlines, part of the crosslines; null across a border."""
    inside = np.ones(len(regions), dtype=np.bool_)
    numbers = []
    for axis, count in enumerate(counts):
        edges = np.linspace(*part[axis], num=count + 1).round().astype(np.int64)
        first, last = regions[:, 2 * axis], regions[:, 2 * axis + 1] - 1
        number = np.searchsorted(edges, first, side="right")
        inside &= number == np.searchsorted(edges, last, side="right")
        numbers.append(number)
    names = pl.DataFrame({"i": numbers[0], "x": numbers[1], "inside": inside})
    text = pl.concat_str(pl.col("i").cast(pl.String), pl.col("x").cast(pl.String), separator="-")
    return names.select(pl.when("inside").then(text).alias("block"))["block"]


def _across(part: list[tuple[int, int]], regions: NDArray[np.int64], counts: tuple[int, int]) -> str:
    """The sentence for samples that all lie across borders of blocks: sizes in inlines × crosslines."""
    sides = regions[:, 1:4:2] - regions[:, 0:4:2]
    smallest = sides[sides.prod(axis=1).argmin()].tolist()
    largest = [
        int(np.diff(np.linspace(*ends, num=count + 1).round()).max()) for ends, count in zip(part, counts, strict=False)
    ]
    return (
        f"no sample lies inside one block of --blocks {counts[0]}x{counts[1]}: the smallest sample has "
        f"{smallest[0]:,} × {smallest[1]:,} inlines × crosslines, the largest block {largest[0]:,} × {largest[1]:,}"
    )


def _frame(places: Places, regions: NDArray[np.int64], along: list[str], live: NDArray[np.float64]) -> pl.DataFrame:
    centre = (regions[:, 0::2] + regions[:, 1::2] - 1) / 2
    section = np.array([_SIDES[name][0] for name in along], dtype=np.int64)
    bins = centre.astype(np.float64)
    made: dict[str, NDArray[np.float64] | list[str] | pl.Series] = {
        "along": along,
        "region": pl.Series("region", regions, dtype=pl.Array(pl.Int64, 6)).cast(pl.List(pl.Int64)),
        "section": bins[np.arange(len(bins)), section] if len(bins) else np.empty(0),
        "inline": _numbers(places.inline, bins[:, 0]),
        "crossline": _numbers(places.crossline, bins[:, 1]),
        "inline_bin": bins[:, 0],
        "crossline_bin": bins[:, 1],
        "sample_bin": bins[:, 2],
        "live": live,
    }
    if places.step is not None:
        made["ms" if places.unit == "ms" else "depth_m"] = places.start + places.step * bins[:, 2]
    if places.step is not None and places.unit == "ms":
        # Rows are time in sections only.
        spans = places.step * (regions[:, 5] - regions[:, 4])
        made["span_ms"] = pl.Series(
            [None if name == "depth" else span for name, span in zip(along, spans, strict=True)], dtype=pl.Float64
        )
    if places.fit is not None:
        inline_m, crossline_m = places.fit.bins
        xy = places.fit.at(bins[:, 0], bins[:, 1])
        made |= {"inline_m": bins[:, 0] * inline_m, "crossline_m": bins[:, 1] * crossline_m}
        made |= {"x_m": xy[:, 0], "y_m": xy[:, 1]}
    return pl.DataFrame(made)


def _numbers(numbers: NDArray[np.int64], bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Line numbers at places in bins, which may lie between two lines."""
    step = float(numbers[1] - numbers[0]) if len(numbers) > 1 else 1.0
    return np.asarray(numbers[0] + step * bins)
