"""The sides of a split: one for each value of the split column, with its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples.table import SampleTable

__all__ = ["Side", "held_out", "sides_of"]

_MOST = 64
_HELD_OUT = ("test", "val", "valid", "validation", "dev", "eval", "holdout", "held-out", "held_out")


@dataclass(frozen=True)
class Side:
    """One side of a split.

    Attributes:
        name: The value in the split's column, or "pre-training".
        table: The rows of the side.
    """

    name: str
    table: SampleTable

    def __len__(self) -> int:
        return len(self.table)


def sides_of(table: SampleTable, split: str) -> list[Side]:
    """The sides of a split, ``train`` first, then by name; rows without a value are in none.

    Args:
        table: The samples.
        split: Column whose values name the sides: train and test, or the numbers of folds.

    Raises:
        UsageError: When the column is missing, or has one value only, or so many that it is no split.
    """
    named = table.text(split)
    if table.column(split).dtype.is_float():
        named = named.replace("NaN", None)
    names = sorted(named.drop_nulls().unique().to_list(), key=lambda name: (name != "train", _number(name), name))
    if len(names) < 2:
        raise UsageError(f"column {split!r} has {len(names)} value, so that there are no two sides to compare",
                         "scan --split-by COLUMN writes a split")  # fmt: skip
    if len(names) > _MOST:
        raise UsageError(f"column {split!r} has {len(names)} values, which is no split", f"{_MOST} sides are the most")
    return [Side(name, table.take(np.flatnonzero(named.eq_missing(name).to_numpy()))) for name in names]


def held_out(sides: Sequence[Side], named: Sequence[str] = ()) -> list[Side]:
    """The sides that must not be trained on.

    Args:
        sides: All sides.
        named: Names given by the user. When empty, the sides called test, val and the like; all sides if none is.

    Raises:
        UsageError: When there is no side of a given name.
    """
    known = [side.name for side in sides]
    for name in named:
        if name not in known:
            raise UsageError(f"the split has no side {name!r}", did_you_mean(name, known))
    chosen = [side for side in sides if (side.name in named if named else side.name.lower() in _HELD_OUT)]
    return chosen or list(sides)


def _number(name: str) -> float:
    # Sort numbered folds by number: 2 before 10.
    try:
        return float(name)
    except ValueError:
        return -1.0
