"""Train/test split by groups or by published folds, and the shuffle of columns for a control experiment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.quantities import plural
from ssl_domains.samples.table import SampleTable

__all__ = ["balanced_parts", "fold_split", "group_split", "shuffle_columns"]


def group_split(table: SampleTable, column: str, test: float = 0.2, seed: int = 0) -> SampleTable:
    """Add the column ``split``: each group is ``"test"`` or ``"train"`` as a whole; rows without a group get null.

    Args:
        table: The samples.
        column: Column of the groups, such as patient, volume or recording.
        test: Fraction of the *groups* in the test set, in (0, 1); each set gets at least one group.
        seed: Seed of the draw; the same seed and groups give the same split in any row order.

    Raises:
        UsageError: When ``test`` is outside (0, 1) or the column is missing.
        DataError: When there are fewer than two groups.
    """
    if not 0 < test < 1:
        raise UsageError(f"--test is {test}", "a share of the groups between 0 and 1, such as 0.2")
    groups = table.column(column)
    if groups.dtype.is_float():
        groups = groups.fill_nan(None)
    names = groups.drop_nulls().unique().sort()
    if len(names) < 2:
        raise DataError(
            f"column {column!r} has {plural(len(names), 'group')}, a split needs two",
            "split by a finer column"
            if len(names)
            else f"no row has a {column!r}: fill it, or split by another column",
        )
    held = max(1, min(len(names) - 1, round(test * len(names))))
    drawn = names.gather(np.random.default_rng(seed).permutation(len(names))[:held])
    split = pl.when(groups.is_null()).then(None).when(groups.is_in(drawn.implode())).then(pl.lit("test"))
    return table.with_columns(split=table.frame.select(split.otherwise(pl.lit("train")).alias("split"))["split"])


def balanced_parts(sizes: NDArray[np.int64], shares: NDArray[np.float64], seed: int = 0) -> NDArray[np.int64]:
    """Divide groups of different sizes among parts, so that the parts have their shares of the rows.

    The largest groups come first, and each goes to the part that lacks most rows; of groups of equal size, and of parts
    that lack equally many rows, one is drawn. So with groups of 47, 11, 9, … rows, three folds get nearly equal numbers
    of rows. Each part gets at least one group, where there are as many.

    Args:
        sizes: Rows of each group ``[g]``.
        shares: Share of each part ``[p]``; they add up to 1.
        seed: Seed of the draws.

    Returns:
        The part of each group, int64 ``[g]``.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    lacking = shares * sizes.sum()
    part, count = np.zeros(len(sizes), dtype=np.int64), np.zeros(len(shares), dtype=np.int64)
    for place, group in enumerate(order.tolist()):
        empty = count == 0
        open_parts = np.flatnonzero(empty if len(order) - place <= empty.sum() else count >= 0)
        most = open_parts[lacking[open_parts] == lacking[open_parts].max()]
        chosen = int(most[rng.integers(len(most))])
        part[group] = chosen
        lacking[chosen] -= sizes[group]
        count[chosen] += 1
    return part


def fold_split(table: SampleTable, column: str) -> tuple[SampleTable, str]:
    """Add the column ``split`` by folds that are in the table: the last fold is ``"test"``, the others ``"train"``.

    Args:
        table: The samples.
        column: Column of the folds. Names that are whole numbers count by their value; rows without one get null.

    Returns:
        The table, and a note. With fewer than two folds the table stays as it is, and the note is empty.

    Raises:
        UsageError: When the column is missing.
    """
    folds = table.column(column).cast(pl.String)
    names = sorted(folds.drop_nulls().unique(), key=_value)
    if len(names) < 2:
        return table, ""
    split = pl.when(folds.is_null()).then(None).when(folds == names[-1]).then(pl.lit("test")).otherwise(pl.lit("train"))
    made = table.with_columns(split=table.frame.select(split.alias("split"))["split"])
    options = {**table.meta.options, "split_by": column}
    note = f"split by the folds of the data set: {column} {names[-1]} is held out, {len(names) - 1} are for training"
    note += " (--split-by COLUMN splits otherwise)"
    return replace(made, meta=replace(made.meta, options=options)), note


def _value(name: str) -> tuple[float, str]:
    """Whole numbers count by their value and stand behind other names."""
    return (int(name) if name.isdecimal() else -1, name)


def shuffle_columns(table: SampleTable, columns: Iterable[str], seed: int, within: str | None = None) -> SampleTable:
    """Permute the given columns jointly over all rows: the values stay, but don't belong to the sample any more.

    A control for a rule: a gain that remains comes from batch composition, not from the metadata.

    Args:
        table: The samples.
        columns: The columns.
        seed: Seed of the permutation.
        within: Column whose values stay where they are: rows are exchanged with rows of the same value alone, such as
            queries with queries. None exchanges all rows.
    """
    names = sorted(columns)
    for name in names:
        table.column(name)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(table))
    if within is not None:
        codes = table.codes(within)
        # Both orders sort the rows by value; inside a value, one is that of the table, the other is random.
        shuffled = order[np.argsort(codes[order], kind="stable")]
        order = np.empty(len(table), dtype=np.int64)
        order[np.argsort(codes, kind="stable")] = shuffled
    return table.with_columns(**{name: table.frame[name].gather(order) for name in names})
