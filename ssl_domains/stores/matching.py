"""Places of texts in a list of different texts, with little memory where many rows repeat few of them."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["matches"]

_ROWS_AT_A_TIME = 1 << 16


def matches(values: pl.Series, keys: pl.Series) -> NDArray[np.int64]:
    """The place of each value among some keys, int64 ``[n]``; −1 for a value that is none of them, and for null.

    Args:
        values: Texts.
        keys: Texts that differ from each other.
    """
    found = np.full(len(values), -1, dtype=np.int64)
    known = pl.DataFrame({"value": keys}).with_row_index("key")
    # A join hashes all keys, and copies all values: a million rows that name three files are joined piece by piece.
    size = _ROWS_AT_A_TIME if len(keys) <= _ROWS_AT_A_TIME else max(1, len(values))
    for start in range(0, len(values), size):
        piece = pl.DataFrame({"value": values[start : start + size]}).with_row_index("row")
        joined = piece.join(known, on="value")
        found[start + joined["row"].to_numpy().astype(np.int64)] = joined["key"].to_numpy()
    return found
