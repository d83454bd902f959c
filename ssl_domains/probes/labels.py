"""Labels of a probe: a column of the table read as classes, as sets of labels, or as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean

__all__ = ["MANY_VALUES", "Labels", "Task", "detect_task", "read_labels"]

Task = Literal["classification", "multilabel", "regression"]

MANY_VALUES = 20
"""A numeric column with more distinct values than this is a quantity, not a class."""


@dataclass(frozen=True)
class Labels:
    """A label column as an array.

    Attributes:
        task: Whether a class, a set of labels or a number is predicted.
        y: int64 class codes ``[n]`` (−1 missing), float64 indicators ``[n, L]`` for ``multilabel`` (NaN rows missing),
            or float64 ``[n]`` (NaN missing) for ``regression``.
        classes: Text of each class or label, in code order; empty for ``regression``.
        known: bool ``[n]``, False where the label is null or NaN.
    """

    task: Task
    y: NDArray[Any]
    classes: tuple[str, ...]
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.known)

    def take(self, rows: NDArray[Any]) -> Labels:
        """The labels of the rows at integer positions or where a mask holds."""
        return Labels(self.task, self.y[rows], self.classes, self.known[rows])

    def membership(self) -> NDArray[np.bool_]:
        """Whether a row is of a class: bool ``[n, K]``; ``[n, 0]`` for ``regression``."""
        if self.task == "classification":
            return np.asarray(self.y[:, None] == np.arange(len(self.classes))[None, :], dtype=np.bool_)
        if self.task == "multilabel":
            return np.asarray(self.y > 0.5, dtype=np.bool_)
        return np.zeros((len(self), 0), dtype=np.bool_)


def detect_task(column: pl.Series) -> Task:
    """The task of a column: lists are multi-label, fractions or many distinct numbers a regression, others classes."""
    if column.dtype.is_nested():
        return "multilabel"
    if not column.dtype.is_numeric():
        return "classification"
    values = column.cast(pl.Float64).fill_nan(None).drop_nulls()
    whole = bool((values == values.round()).all())
    return "classification" if whole and values.n_unique() <= MANY_VALUES else "regression"


def read_labels(column: pl.Series, task: Task | None = None) -> Labels:
    """Read a label column.

    Args:
        column: ``n`` values; null and NaN are missing labels.
        task: Forces the task; otherwise `detect_task` decides.

    Raises:
        UsageError: When the task is unknown, or the column can't be read that way.
    """
    task = task or detect_task(column)
    if task not in get_args(Task):
        raise UsageError(f"there is no probe task {task!r}", did_you_mean(task, get_args(Task)))
    if column.dtype.is_nested() != (task == "multilabel"):
        needed = "lists of labels" if task == "multilabel" else "one value a row"
        raise UsageError(f"{task} needs {needed}; column {column.name!r} holds {column.dtype}", "choose another task")
    if task == "multilabel":
        return _label_sets(column)
    if task == "regression":
        return _quantity(column)
    return _classes(column)


def _classes(column: pl.Series) -> Labels:
    if column.dtype.is_float():
        column = column.fill_nan(None)
        values = column.drop_nulls()
        if bool((values == values.round()).all()):  # pandas stores integers as 0.0 and 1.0 in a column with nulls
            column = column.cast(pl.Int64)
    known = column.is_not_null().to_numpy()
    distinct = column.drop_nulls().unique().sort()
    if column.dtype == pl.Categorical or isinstance(column.dtype, pl.Enum):
        column = column.cast(pl.String)
        distinct = column.drop_nulls().unique().sort()
    codes = {value: code for code, value in enumerate(distinct.to_list())}
    y = np.array([codes.get(value, -1) for value in column.to_list()], dtype=np.int64)
    return Labels("classification", y, tuple(str(value) for value in distinct.to_list()), known)


def _label_sets(column: pl.Series) -> Labels:
    rows = column.to_list()
    names = sorted({str(item) for row in rows if row is not None for item in row if item is not None})
    position = {name: at for at, name in enumerate(names)}
    y = np.zeros((len(rows), len(names)), dtype=np.float64)
    known = np.array([row is not None for row in rows], dtype=np.bool_)
    for i, row in enumerate(rows):
        for item in row or ():
            if item is not None:
                y[i, position[str(item)]] = 1.0
    y[~known] = np.nan
    return Labels("multilabel", y, tuple(names), known)


def _quantity(column: pl.Series) -> Labels:
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise UsageError(
            f"regression needs numbers; column {column.name!r} holds {column.dtype}", "choose another task"
        )
    y = column.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
    return Labels("regression", y, (), np.isfinite(y))
