"""Samples cut into tiles of a crop's size: each tile becomes a row of a table, with a region of its own.

An encoder that was trained on crops sees a tile as it saw a crop. So masks of whole sections are probed, fine-tuned and
predicted tile by tile.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import SampleTable, regions_of
from ssl_domains.stores import SampleArrays
from ssl_domains.views.crops.contract import Crop
from ssl_domains.views.crops.placement import Tiling, centre

__all__ = ["WHOLE", "Tiles", "facts_of_rows", "tiles_of"]

WHOLE = "tile_of"
"""Column of a table of tiles: the id of the sample that a tile is a part of."""


@dataclass(frozen=True)
class Tiles:
    """Parts of samples as rows; the tiles of a sample follow each other.

    Attributes:
        table: The ``m`` tiles, with the columns of their samples. The columns ``array`` and ``region`` say which part
            of its array a tile is, `WHOLE` which sample it belongs to. A sample that is one tile keeps its id.
        sample: Row of the sample of each tile, int64 ``[m]``.
        starts: First place of each tile in its sample, int64 ``[m, rank]``.
        stops: Place behind the last, int64 ``[m, rank]``.
        sides: Sides of the sample of each tile, int64 ``[m, rank]``.
    """

    table: SampleTable
    sample: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    sides: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sample)

    @property
    def cut(self) -> bool:
        """Whether some sample is larger than a tile."""
        return bool((self.starts > 0).any() or (self.stops < self.sides).any())

    def take(self, rows: NDArray[np.int64]) -> Tiles:
        """Some of the tiles."""
        return Tiles(
            self.table.take(rows), self.sample[rows], self.starts[rows], self.stops[rows], self.sides[rows]
        )  # fmt: skip

    def surroundings(self) -> Tiles:
        """The tiles with the places around them, from which crops are drawn: up to half a tile more on each side.

        A tile grows by as much on both sides of an axis, so that it is the crop at the centre of its surroundings; one
        at the edge of its sample doesn't grow along this axis.
        """
        room = np.minimum(self.starts, self.sides - self.stops)
        grown = np.minimum(room, (self.stops - self.starts) // 2)
        return _placed(self, self.starts - grown, self.stops + grown)


def tiles_of(crop: Crop, table: SampleTable, samples: SampleArrays, tiling: Tiling | None = None) -> Tiles:
    """Cut the samples of a table into tiles of a crop's size; the table stays as it is where a tile shows each whole.

    Numbers that the crop emits, such as the time of its middle, replace the columns of the same names: they are those
    of the tile.

    Args:
        crop: Says how large a tile is, by the crop that it shows at the centre of a sample.
        table: ``n`` rows, each with an array.
        samples: Their arrays.
        tiling: How tiles overlap; None for tiles side by side, of which the last one ends where the sample ends.
    """
    tiling, shapes = tiling or Tiling(), samples.shapes()
    middles = [
        centre(crop, shape, facts) for shape, facts in zip(shapes.tolist(), facts_of_rows(crop, table), strict=True)
    ]
    sides = [math.prod(tiling.counts(shape, middle)) for shape, middle in zip(shapes.tolist(), middles, strict=True)]
    sample = np.repeat(np.arange(len(table)), sides)
    ends = np.array(
        [
            [(side.start, side.stop) for side in tiling.tile(number, shapes[row].tolist(), middles[row])]
            for row, count in enumerate(sides)
            for number in range(count)
        ],
        dtype=np.int64,
    ).reshape(len(sample), shapes.shape[1], 2)
    starts = np.zeros_like(ends[:, :, 0])
    if len(sample) == len(table) and not ends[:, :, 0].any() and np.array_equal(ends[:, :, 1], shapes):
        return Tiles(table, sample, starts, shapes, shapes)
    wholes = Tiles(_repeated(table, sample), sample, starts, shapes[sample], shapes[sample])
    cut = _placed(wholes, ends[:, :, 0], ends[:, :, 1])
    return replace(cut, table=_emitting(crop, table, cut))


def facts_of_rows(crop: Crop, table: SampleTable, *, placed: bool = False) -> Iterator[Mapping[str, float]]:
    """The numbers that a crop reads of each row of a table.

    Args:
        crop: The crop.
        table: The rows.
        placed: Whether the crop will emit where it lies, so that its ``numbers`` are needed too.
    """
    numbers = {name: table.numbers(name) for name in crop.columns}
    if placed and hasattr(crop, "numbers"):
        numbers |= crop.numbers(table)
    for row in range(len(table)):
        yield {name: float(values[row]) for name, values in numbers.items()}


def _repeated(table: SampleTable, sample: NDArray[np.int64]) -> SampleTable:
    """A row of its sample for each tile, whose id is that of the sample and, where there are several, its number."""
    frame = table.frame[sample]
    names = frame["sample"].cast(pl.String)
    counts = np.bincount(sample)
    number = np.arange(len(sample)) - np.repeat(np.cumsum(counts) - counts, counts)
    made = [
        name if counts[row] == 1 else f"{name} tile {k}"
        for name, row, k in zip(names, sample.tolist(), number.tolist(), strict=True)
    ]
    return replace(table, frame=frame.with_columns(pl.Series("sample", made), names.alias(WHOLE)))


def _placed(tiles: Tiles, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> Tiles:
    """The same rows with other parts of their samples."""
    first = _first_places(tiles.table, starts.shape[1]) - tiles.starts  # where each sample starts in its array
    rank = _rank(tiles.table, starts, stops, tiles.sides)
    ends = np.stack([first + starts, first + stops], axis=2)[:, :rank].reshape(len(tiles), -1)
    whole = pl.col(WHOLE)
    known = "array" in tiles.table.columns
    frame = tiles.table.frame.with_columns(
        (pl.coalesce(pl.col("array").cast(pl.String), whole) if known else whole).alias("array"),
        pl.Series("region", ends.tolist(), dtype=pl.List(pl.Int64)),
    )
    return replace(tiles, table=replace(tiles.table, frame=frame), starts=starts, stops=stops)


def _emitting(crop: Crop, samples: SampleTable, tiles: Tiles) -> SampleTable:
    """The table of tiles with the numbers that the crop emits at their places."""
    names = [name for name in crop.emitted if name in samples.columns]
    if not names:
        return tiles.table
    facts = list(facts_of_rows(crop, samples, placed=True))
    made = []
    for row, starts, stops in zip(tiles.sample.tolist(), tiles.starts.tolist(), tiles.stops.tolist(), strict=True):
        emitted = crop.emit([slice(*ends) for ends in zip(starts, stops, strict=True)], facts[row])
        made.append([float(emitted[name]) for name in names])
    columns = [
        pl.Series(name, values, dtype=pl.Float64).fill_nan(None)
        for name, values in zip(names, np.array(made).reshape(len(made), len(names)).T.tolist(), strict=True)
    ]
    return replace(tiles.table, frame=tiles.table.frame.with_columns(columns))


def _first_places(table: SampleTable, rank: int) -> NDArray[np.int64]:
    """First place of each row in its array, int64 ``[n, rank]``."""
    found, made = regions_of([table]), np.zeros((len(table), rank), dtype=np.int64)
    if found is not None:
        (regions,) = found
        made[:, : regions.rank] = regions.starts[:, :rank]
    return made


def _rank(table: SampleTable, starts: NDArray[np.int64], stops: NDArray[np.int64], sides: NDArray[np.int64]) -> int:
    """Sides that the regions name: those of the table, which may leave out channels, or all where more are cut."""
    found, rank = regions_of([table]), int(starts.shape[1])
    if found is None:
        return rank
    named = int(found[0].rank)
    return rank if ((starts > 0) | (stops < sides))[:, named:].any() else named
