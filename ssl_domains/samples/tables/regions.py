"""The columns ``array`` and ``region`` of sample tables: which part of which array each sample is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples.table import SampleTable
from ssl_domains.samples.tables.types import region_numbers

__all__ = ["Regions", "array_ids", "region_column", "regions_of"]

_LIST = r"^\s*\[?\s*-?\d+(\s*,\s*-?\d+)+\s*\]?\s*$"


@dataclass(frozen=True)
class Regions:
    """The box of its array that each row of a table is.

    Attributes:
        arrays: Code of the array, int64 ``[n]``; regions of different arrays share nothing. −1 for rows whose region
            is not known.
        starts: First place along each axis, int64 ``[n, rank]``.
        stops: Place behind the last along each axis, int64 ``[n, rank]``.
        notes: Remarks on how the rows were placed, in sentences.
    """

    arrays: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.arrays)

    @property
    def rank(self) -> int:
        """Number of axes."""
        return int(self.starts.shape[1])

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Regions:
        """The regions of some rows."""
        return replace(self, arrays=self.arrays[rows], starts=self.starts[rows], stops=self.stops[rows])

    def sizes(self) -> NDArray[np.int64]:
        """Number of elements (voxels, pixels) of each region, int64 ``[n]``."""
        return np.asarray((self.stops - self.starts).prod(axis=1))


def array_ids(table: SampleTable) -> pl.Series:
    """Id of the array of each row: the value of the column ``array``, or the sample id where that is null."""
    if "array" not in table.columns:
        return table.frame["sample"]
    return table.frame.select(pl.coalesce(pl.col("array").cast(pl.String), "sample").alias("array"))["array"]


def region_column(table: SampleTable) -> pl.Series | None:
    """The column ``region``, if it says which part of an array each sample is; else None.

    It does when it holds lists, or text such as ``"0,10,5,20"``, or stands beside a column ``array``. Other columns of
    this name, such as the name of a region of the lens, are labels.
    """
    if "region" not in table.columns:
        return None
    column = table.frame["region"]
    lists = isinstance(column.dtype, pl.List | pl.Array)
    written = column.dtype == pl.String and bool(column.str.contains(_LIST).any())
    return column if lists or written or "array" in table.columns else None


def regions_of(tables: Sequence[SampleTable]) -> list[Regions] | None:
    """The regions of several tables, with common codes for their arrays; None when no table has regions.

    An array is known by its file and its id; where a table has one array a file, by the file alone, because ids may
    count from the folder that was scanned. A row without a region is its whole array, of which the regions of other
    rows tell the size. Regions of another table of lower rank get sides of length 1.
    """
    columns = [region_column(table) for table in tables]
    if all(column is None for column in columns):
        return None
    codes: dict[tuple[str, str], int] = {}
    made = [_boxes(table, column, codes) for table, column in zip(tables, columns, strict=True)]
    rank = max(regions.rank for regions in made)
    made = [_raised(regions, rank) for regions in made]
    ends = np.ones((len(codes), rank), dtype=np.int64)
    for regions in made:
        known = regions.arrays >= 0
        np.maximum.at(ends, regions.arrays[known], regions.stops[known])
    filled = []
    for regions in made:
        whole = np.flatnonzero((regions.arrays >= 0) & (regions.stops == 0).all(axis=1))
        stops = regions.stops.copy()
        stops[whole] = ends[regions.arrays[whole]]
        filled.append(replace(regions, stops=stops))
    return filled


def _boxes(table: SampleTable, column: pl.Series | None, codes: dict[tuple[str, str], int]) -> Regions:
    """The regions of one table; whole arrays have stops of 0. ``codes`` gets an entry for each new array."""
    ids = _codes(table, codes)
    if column is None:
        return Regions(ids, np.zeros((len(table), 1), np.int64), np.zeros((len(table), 1), np.int64))
    numbers = region_numbers(column)
    lengths = numbers.list.len().fill_null(0).to_numpy().astype(np.int64)
    rank = max(int(lengths.max(initial=0)) // 2, 1)
    fits = lengths == 2 * rank
    whole = column.is_null().to_numpy()
    read = np.zeros((len(table), 2 * rank), dtype=np.int64)
    if fits.any():
        values = numbers.filter(pl.Series(fits)).explode()
        read[fits] = values.fill_null(-1).to_numpy().reshape(-1, 2 * rank)
    starts, stops = read[:, 0::2], read[:, 1::2]
    good = whole | (fits & (starts >= 0).all(axis=1) & (stops > starts).all(axis=1))
    return Regions(np.where(good, ids, -1), np.where(good[:, None], starts, 0), np.where(good[:, None], stops, 0))


def _codes(table: SampleTable, codes: dict[tuple[str, str], int]) -> NDArray[np.int64]:
    frame = pl.DataFrame({"array": array_ids(table)})
    path = table.frame["path"].cast(pl.String).fill_null("") if "path" in table.columns else pl.lit("")
    frame = frame.with_columns(path.alias("path"))
    single = frame.group_by("path").agg(pl.col("array").n_unique().alias("arrays"))
    frame = frame.join(single, on="path", maintain_order="left", how="left")
    alone = (pl.col("path") != "") & (pl.col("arrays") == 1)
    frame = frame.with_columns(pl.when(alone).then(pl.lit("")).otherwise("array").alias("array"))
    keys = frame.select("path", "array").unique(maintain_order=True)
    numbers = [codes.setdefault((one, other), len(codes)) for one, other in keys.iter_rows()]
    keys = keys.with_columns(pl.Series("code", numbers, dtype=pl.Int64))
    joined = frame.join(keys, on=["path", "array"], how="left", maintain_order="left")
    return joined["code"].to_numpy().astype(np.int64)


def _raised(regions: Regions, rank: int) -> Regions:
    """The same regions with sides of length 1 for the axes that they lack; whole arrays stay whole."""
    missing = rank - regions.rank
    if not missing:
        return regions
    zeros = np.zeros((len(regions), missing), np.int64)
    whole = (regions.stops == 0).all(axis=1, keepdims=True)
    ones = np.where(whole, 0, np.ones((len(regions), missing), np.int64))
    return Regions(regions.arrays, np.hstack([regions.starts, zeros]), np.hstack([regions.stops, ones]))
