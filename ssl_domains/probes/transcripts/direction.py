"""Which lines are written from right to left: by a column, or by the letters of their transcripts."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.text_direction import direction_of

__all__ = ["DIRECTION", "read_directions"]

DIRECTION = "direction"
"""Column that says how a line is written: ``ltr`` or ``rtl``; null is ``ltr``."""


def read_directions(frame: pl.DataFrame, texts: pl.Series | None = None) -> NDArray[np.bool_]:
    """Which rows are written from right to left, bool ``[n]``.

    The column ``direction`` says it. Without it, it is the script of most letters of each text; texts without letters
    take the direction of most others.

    Args:
        frame: The table.
        texts: Its transcripts; None takes all lines of a table without the column as left to right.

    Raises:
        UsageError: When the column holds something else than ``ltr``, ``rtl`` and null.
    """
    if DIRECTION not in frame.columns:
        return np.zeros(len(frame), dtype=np.bool_) if texts is None else _by_letters(texts)
    column = frame[DIRECTION].cast(pl.String)
    wrong = column.filter(column.is_not_null() & ~column.is_in(["ltr", "rtl"]))
    if len(wrong):
        hint = did_you_mean(str(wrong[0]), ("ltr", "rtl"))
        raise UsageError(f"column {DIRECTION!r} holds {wrong[0]!r}, which is no direction of writing", hint)
    return np.asarray((column == "rtl").fill_null(False).to_numpy(), dtype=np.bool_)


def _by_letters(texts: pl.Series) -> NDArray[np.bool_]:
    if texts.dtype != pl.String and not isinstance(texts.dtype, pl.Categorical | pl.Enum):
        return np.zeros(len(texts), dtype=np.bool_)
    found = [None if text is None else direction_of(text) for text in texts.cast(pl.String)]
    usual = found.count("rtl") > found.count("ltr")
    return np.array([usual if one is None else one == "rtl" for one in found], dtype=np.bool_)
