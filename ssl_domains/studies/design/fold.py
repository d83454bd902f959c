"""A fold: its training rows and its test rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fold", "Rows"]

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Fold:
    """Training and test rows: bool masks ``[n]`` over the table.

    Rows without a group are never tested. They train only where the folds are columns of the table.
    """

    train: Rows
    test: Rows
