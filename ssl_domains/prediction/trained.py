"""Which samples show what a model was trained on: the same sample, a part of its array, or an equal copy."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.audit.overlap import overlap_of
from ssl_domains.engine.record.training_rows import hashed_path
from ssl_domains.samples import Regions, SampleTable, regions_of

__all__ = ["trained_on"]

_PLACES = ("sample", "array", "region", "file")


def trained_on(table: SampleTable, trained: pl.DataFrame) -> NDArray[np.bool_]:
    """Which rows of a table a model was trained on, bool ``[n]``.

    A row counts when it

    - has the id of a training sample,
    - shares a place of an array with one: a cut of a recording that was trained on as a whole, or the reverse,
    - is of the same recording, by a column that the domain names as one (``Domain.whole_groups``), or
    - has the same contents by the column ``content``.

    Arrays are known by their ids, which count from the scanned folder, or by their files.

    Args:
        table: The samples.
        trained: Rows of the training, see `ssl_domains.engine.record.training_rows.training_rows`. Those of an earlier
            version have the column ``sample`` alone.
    """
    found = _equal(table, trained, "sample")
    for column in trained.columns:
        if column not in _PLACES and column in table.columns:
            found |= _equal(table, trained, column)
    found |= _same_place(_places(table.frame), _places(trained))
    if "file" in trained.columns and "path" in table.columns:
        path = hashed_path(table.frame["path"]).alias("path")
        found |= _same_place(_places(table.frame, path), _places(trained, trained["file"].alias("path")))
    return found


def _equal(table: SampleTable, trained: pl.DataFrame, column: str) -> NDArray[np.bool_]:
    known = trained[column].cast(pl.String).drop_nulls().unique()
    same = table.frame[column].cast(pl.String).is_in(known.implode()).fill_null(False)
    return np.array(same.to_numpy(), dtype=np.bool_)


def _places(frame: pl.DataFrame, path: pl.Series | None = None) -> SampleTable:
    """The columns that say which part of which array a row is."""
    part = frame.select(name for name in ("sample", "array", "region") if name in frame.columns)
    if "region" not in part.columns:
        part = part.with_columns(pl.lit(None, pl.List(pl.Int64)).alias("region"))
    return SampleTable(part if path is None else part.with_columns(path))


def _same_place(table: SampleTable, trained: SampleTable) -> NDArray[np.bool_]:
    """Which rows of a table share a place of an array with a training row."""
    placed = regions_of([table, trained])
    assert placed is not None, "both have the column region"
    here, there = placed
    whole_here, whole_there = (_whole(one) for one in (table, trained))
    found = (here.arrays >= 0) & np.isin(here.arrays, there.arrays[whole_there])
    found |= (here.arrays >= 0) & whole_here & np.isin(here.arrays, there.arrays)
    rest = np.flatnonzero((here.arrays >= 0) & ~found & np.isin(here.arrays, there.arrays))
    if len(rest):
        near: Regions = there.take(np.isin(there.arrays, here.arrays[rest]))
        found[rest] = overlap_of(here.take(rest), near).inside_a > 0
    return found


def _whole(table: SampleTable) -> NDArray[np.bool_]:
    return np.array(table.frame["region"].is_null().to_numpy(), dtype=np.bool_)
