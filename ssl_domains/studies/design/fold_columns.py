"""Folds of which each chooses its own grid point: columns of the table, or each group held out in its turn.

A column holds ``train``, ``test`` or null for each row, so that gaps stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable
from ssl_domains.studies.design.fold import Fold

__all__ = ["LEAVE_ONE_OUT", "fold_columns", "folds_of_columns", "folds_of_groups", "inner_folds"]

LEAVE_ONE_OUT = "leave-one-out"
"""Value of ``folds`` with which each group is held out once."""
_SIDES = ("train", "test")


def fold_columns(table: SampleTable, folds: int | str | Sequence[str] | None) -> tuple[str, ...]:
    """Names of the columns that hold the folds, in the order of the table for a pattern; none for other folds.

    Args:
        table: The samples.
        folds: A pattern such as ``"fold_*"``, or names of columns; or what says that folds are made of groups.

    Raises:
        UsageError: When a column is missing, is there twice, or no column fits the pattern.
    """
    if folds is None or isinstance(folds, int) or folds == LEAVE_ONE_OUT:
        return ()
    if isinstance(folds, str):
        found = tuple(name for name in table.columns if fnmatchcase(name, folds))
        if not found:
            raise UsageError(
                f"no column of the table is called {folds!r}",
                f"write the folds to the table first; its columns: {', '.join(table.columns[:12])}",
            )
        return found
    for name in folds:
        table.column(name)
    if len(set(folds)) < len(folds):
        raise UsageError("`folds` names a column twice", "name each column once")
    return tuple(folds)


def folds_of_columns(
    table: SampleTable, names: Sequence[str], codes: NDArray[np.int64], group: str
) -> tuple[Fold, ...]:
    """The folds of these columns. Rows that are null in a column are on neither side of its fold.

    Args:
        table: The samples.
        names: Names of the columns.
        codes: Group of each row, −1 for rows without one. Such rows train, and are never tested.
        group: Column of the groups, for messages.

    Raises:
        UsageError: When a column holds another value than ``train``, ``test`` and null.
        DataError: When a side is empty, or a group is tested in two folds or stands on both sides of one.
    """
    folds: list[Fold] = []
    tested_in: dict[int, str] = {}
    for name in names:
        fold = _read(table, name, codes)
        tested = np.unique(codes[fold.test])
        shared = np.intersect1d(tested, codes[fold.train])
        if len(shared):
            raise DataError(
                f"both sides of {name!r} share {plural(len(shared), 'group')} of {group!r}",
                f"ssl-domains splits audit TABLE --split {name} says which",
            )
        for code in tested.tolist():
            if code in tested_in:
                value = table.column(group)[int(np.flatnonzero(codes == code)[0])]
                raise DataError(
                    f"{tested_in[code]!r} and {name!r} both test the group {str(value)!r} of {group!r}",
                    "each group is tested in one fold: name one of the two columns in `folds`",
                )
            tested_in[code] = name
        folds.append(fold)
    if len(folds) < 2:
        raise DataError(f"there is one fold, {names[0]!r}", "give at least two, or write it as the column split")
    return tuple(folds)


def folds_of_groups(codes: NDArray[np.int64], group: str) -> tuple[Fold, ...]:
    """One fold for each group, which it tests; rows without a group train in all.

    Raises:
        DataError: When there is one group, or none.
    """
    groups = np.unique(codes[codes >= 0])
    if len(groups) < 2:
        raise DataError(
            f"{plural(len(groups), 'group')} of {group!r}: none can be left out", "take a finer group, or `folds = 5`"
        )
    return tuple(Fold(codes != code, codes == code) for code in groups.tolist())


def inner_folds(folds: Sequence[Fold], codes: NDArray[np.int64], share: float, seed: int) -> tuple[Fold, ...]:
    """For each fold, a fold inside its training rows on which its grid point is chosen: no tested row takes part.

    The groups that score a grid point are held out as in the folds that test them, so that the gap around them is kept
    too; between groups that one fold tests together no gap is known. Of several draws of such groups, the one that
    leaves most rows on its smaller side is taken.

    Args:
        folds: The folds.
        codes: Group of each row.
        share: Share of a fold's training groups that score a grid point, at least one group.
        seed: Seed of the draws.

    Raises:
        DataError: When a fold has no two groups for training, or the gaps leave no row.
    """
    return tuple(_inner(number, folds, codes, share, seed) for number in range(len(folds)))


def _inner(number: int, folds: Sequence[Fold], codes: NDArray[np.int64], share: float, seed: int) -> Fold:
    fold = folds[number]
    groups = np.unique(codes[fold.train & (codes >= 0)])
    count = max(1, round(share * len(groups)))
    rng = np.random.default_rng([seed, 2, number])
    best: Fold | None = None
    for held in _draws(groups, count, rng):
        test = fold.train & np.isin(codes, held)
        train = fold.train & ~test
        for other in folds:
            if np.isin(codes[other.test], held).any():
                train &= other.train | other.test
        if best is None or min(train.sum(), test.sum()) > min(best.train.sum(), best.test.sum()):
            best = Fold(train, test)
    if best is None or not (best.train & (codes >= 0)).any() or not best.test.any():
        raise DataError(
            f"fold {number + 1} has too few training groups to choose a grid point on",
            "leave out `grid`, or make more blocks or a smaller gap",
        )
    return best


def _draws(groups: NDArray[np.int64], count: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    if len(groups) <= count:
        return []
    if count == 1:
        return [groups[place : place + 1] for place in rng.permutation(len(groups))]
    return [rng.choice(groups, count, replace=False) for _ in range(10)]


def _read(table: SampleTable, name: str, codes: NDArray[np.int64]) -> Fold:
    values = table.column(name).cast(str).to_list()
    other = {value for value in values if value is not None} - set(_SIDES)
    if other:
        raise UsageError(
            f"column {name!r} holds {sorted(other)[0]!r}: a fold holds train, test, or nothing",
            did_you_mean(name, [one for one in table.columns if one != name]),
        )
    train, test = (np.array([value == side for value in values], dtype=np.bool_) for side in _SIDES)
    fold = Fold(train, test & (codes >= 0))
    for side, rows in zip(_SIDES, (fold.train, fold.test), strict=True):
        if not rows.any():
            raise DataError(f"column {name!r} has no row for {side!r}", "leave it out of `folds`, or split again")
    return fold
