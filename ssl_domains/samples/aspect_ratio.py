"""The aspect ratio of the pictures as a column, from the columns that hold their sides."""

from __future__ import annotations

import numpy as np

from ssl_domains.samples.table import SampleTable

__all__ = ["ASPECT_RATIO", "with_aspect_ratio"]

ASPECT_RATIO = "aspect_ratio"
"""Name of the column: log(width / height), 0 for a square picture."""

_SIDES = (("width", "height"), ("columns", "rows"))


def with_aspect_ratio(table: SampleTable) -> SampleTable:
    """Add the column ``aspect_ratio``: the natural logarithm of width over height, float64.

    Sides are read from the columns ``width`` and ``height``, else from ``columns`` and ``rows``. A row without a side,
    or with one that is not positive, gets NaN. A table that has neither pair of columns as numbers, or that has a
    column of this name already, is returned as it is.
    """
    if ASPECT_RATIO in table.columns:
        return table
    for width, height in _SIDES:
        if all(name in table.columns and table.column(name).dtype.is_numeric() for name in (width, height)):
            sides = np.stack([table.numbers(width), table.numbers(height)])
            logs = np.log(np.where(sides > 0, sides, np.nan))
            return table.with_columns(**{ASPECT_RATIO: logs[0] - logs[1]})
    return table
