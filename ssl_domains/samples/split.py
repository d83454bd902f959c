"""Group-disjoint splits, and the shuffle that serves as a control."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples.table import SampleTable

__all__ = ["group_split", "shuffle_columns"]


def group_split(table: SampleTable, column: str, test: float = 0.2, seed: int = 0) -> SampleTable:
    """Write ``split``: whole groups are ``"test"`` or ``"train"``; rows without a group are null, in neither.

    Args:
        table: The samples.
        column: The groups to keep whole (patient, volume, recording).
        test: Share of the *groups* that are held out, in (0, 1); at least one group on either side.
        seed: Draws the groups; the same seed and groups give the same split in any row order.

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
        raise DataError(f"column {column!r} has {len(names)} group, a split needs two", "split by a finer column")
    held = max(1, min(len(names) - 1, round(test * len(names))))
    drawn = names.gather(np.random.default_rng(seed).permutation(len(names))[:held])
    split = pl.when(groups.is_null()).then(None).when(groups.is_in(drawn.implode())).then(pl.lit("test"))
    return table.with_columns(split=table.frame.select(split.otherwise(pl.lit("train")).alias("split"))["split"])


def shuffle_columns(table: SampleTable, columns: Iterable[str], seed: int) -> SampleTable:
    """Permute the given columns jointly over all rows: same histogram, no relation to the sample any more.

    The control for a rule: what is left of its gain comes from batch composition, not from the metadata.
    """
    names = sorted(columns)
    for name in names:
        table.column(name)
    order = np.random.default_rng(seed).permutation(len(table))
    return table.with_columns(**{name: table.frame[name].gather(order) for name in names})
