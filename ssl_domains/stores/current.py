"""Which rows of a table have a current array in the index of a store, compared column by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.samples import SampleTable
from ssl_domains.samples.tables.regions import array_ids
from ssl_domains.stores.files.entry import Place
from ssl_domains.stores.files.index import Index
from ssl_domains.stores.fingerprint import file_stat, row_digests

__all__ = ["Rows", "changed_elsewhere", "changed_files", "first_rows", "missing_rows", "rows_of"]


@dataclass(frozen=True)
class Rows:
    """The rows of a table in the index of a store.

    Attributes:
        at: Row of the index that holds each row's array or problem, int64 ``[n]``; −1 where there is none.
        same: Whether the array was made from the values that the row has now, bool ``[n]``.
    """

    at: NDArray[np.int64]
    same: NDArray[np.bool_]


def rows_of(table: SampleTable, index: Index) -> Rows:
    """Find the rows of a table in an index, and compare the values that decoding read."""
    at = index.lookup(array_ids(table))
    same = np.zeros(len(table), dtype=np.bool_)
    if not len(index):
        return Rows(at, same)
    read = index.files["columns"].to_numpy()[index.values("file")[at]]
    digests = index.values("digest")
    for number in np.unique(read[at >= 0]):
        every = bool((read == number).all()) and bool((at >= 0).all())
        rows = None if every else np.flatnonzero((read == number) & (at >= 0))
        chosen = slice(None) if rows is None else rows
        same[chosen] = row_digests(table, index.columns[number], rows) == digests[at[chosen]]
    return Rows(at, same)


def changed_files(index: Index, at: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which source files of rows of the index differ from what was read: two masks over the rows of ``index.files``.

    Returns:
        Files that are there and have another size or time of modification than recorded; and files that were there and
        are not now.
    """
    changed, absent = (np.zeros(len(index.files), dtype=np.bool_) for _ in range(2))
    used = np.unique(index.values("file")[at])
    files = index.files[used.astype(np.int64)]
    stats: dict[str, list[int] | None] = {}
    for number, (path, size, modified, _) in zip(used.tolist(), files.iter_rows(), strict=True):
        if path not in stats:
            stats[path] = file_stat(path)
        now = stats[path]
        absent[number] = now is None and size is not None
        changed[number] = now is not None and now != [size, modified]
    return changed, absent


def changed_elsewhere(index: Index, at: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The same as `changed_files` for numbers that lie in another file than the row names, such as an .img file.

    Args:
        index: The index.
        at: Rows of the index.

    Returns:
        Two masks over ``at``: the other file is changed, and it is absent; both false where there is no other file.
    """
    if index.rows["path"].null_count() == len(index):
        return np.zeros(len(at), dtype=np.bool_), np.zeros(len(at), dtype=np.bool_)
    # A million rows may be regions of one array: only the rows of the index that they use are looked at.
    used = np.zeros(len(index), dtype=np.bool_)
    used[at] = True
    names = ["path", "size", "modified"]
    types = {"path": pl.String, "size": pl.Int64, "modified": pl.Int64}
    rows = index.rows.select(names).filter(pl.Series(used)).cast(types)  # type: ignore[arg-type]
    distinct = rows.filter(pl.col("path").is_not_null()).unique()
    changed, absent = [], []
    for path, size, modified in distinct.iter_rows():
        now = file_stat(path)
        absent.append(now is None)
        changed.append(now is not None and (size not in (-1, now[0]) or modified not in (None, now[1])))
    states = distinct.with_columns(
        changed=pl.Series(changed, dtype=pl.Boolean), absent=pl.Series(absent, dtype=pl.Boolean)
    )
    joined = rows.join(states, on=names, how="left", nulls_equal=True, maintain_order="left")
    masks = np.zeros((2, len(index)), dtype=np.bool_)
    masks[:, used] = joined.select(pl.col("changed", "absent").fill_null(False)).to_numpy().T
    return masks[0, at], masks[1, at]


def first_rows(table: SampleTable) -> NDArray[np.int64]:
    """The first row of each array of a table, in order, int64; every row when each has an array of its own."""
    if "array" not in table.columns:
        return np.arange(len(table), dtype=np.int64)
    ids = pl.DataFrame({"array": array_ids(table)}).with_row_index("row")
    return ids.unique("array", keep="first")["row"].sort().to_numpy().astype(np.int64)


def missing_rows(table: SampleTable, index: Index, *, retry: bool = False) -> tuple[NDArray[np.int64], int]:
    """Rows whose array has to be decoded, the first row of each array; and arrays kept though their file is absent.

    Rows of one file are neighbours.

    Args:
        table: The rows to look for.
        index: The index.
        retry: Whether rows that couldn't be decoded count as missing.
    """
    first = first_rows(table)
    found = rows_of(table if len(first) == len(table) else table.take(first), index)
    kept = np.flatnonzero((found.at >= 0) & found.same)
    missing = np.ones(len(first), dtype=np.bool_)
    absent_count = 0
    if len(kept):
        at = found.at[kept]
        changed, absent = changed_files(index, at)
        file, place = index.values("file")[at], index.places[at]
        again = changed[file] | changed_elsewhere(index, at)[0] | (retry & (place == Place.NONE))
        missing[kept] = again
        absent_count = int((absent[file] & (place == Place.COPIED) & ~again).sum())
    rows = first[missing]
    if "path" in table.columns and len(rows):
        paths = pl.DataFrame({"path": table.frame["path"].cast(pl.String).fill_null("").gather(rows), "row": rows})
        order = paths.with_columns(first=pl.col("row").min().over("path")).sort("first", "row")
        rows = order["row"].to_numpy()
    return rows.astype(np.int64), absent_count
