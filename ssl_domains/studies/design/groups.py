"""Assign groups to folds: each is tested in one fold, or set aside for choosing grid points and never tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable, looks_identifying
from ssl_domains.studies.design.cells import TUNING, tuned_fold
from ssl_domains.studies.design.fold import Fold, Rows
from ssl_domains.studies.design.fold_columns import (
    LEAVE_ONE_OUT,
    fold_columns,
    folds_of_columns,
    folds_of_groups,
    inner_folds,
)

__all__ = ["Fold", "GroupPlan", "plan_groups"]

_INNER = 0.3
"""Share of the tuning groups that score a grid point; the others train it."""


@dataclass(frozen=True)
class GroupPlan:
    """The groups of a study, assigned to folds and to tuning.

    Attributes:
        names: Names of the groups, in order of their code.
        codes: int64 ``[n]``: group of each row, −1 for rows without a group.
        folds: Each group outside ``tuning`` is tested in exactly one of them.
        tuning: The fold on which grid points are chosen, of which no group is tested in ``folds``; or one for each of
            ``folds``, inside its training rows.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    folds: tuple[Fold, ...]
    tuning: tuple[Fold, ...]

    def fold(self, number: int) -> Fold:
        """The fold of a cell: one of ``folds``, or one for choosing a grid point; see `Cell.fold`."""
        if number >= 0:
            return self.folds[number]
        return self.tuning[0 if number == TUNING else tuned_fold(number)]

    @property
    def tuned_by_fold(self) -> bool:
        """Whether each fold chooses its own grid points."""
        return len(self.tuning) > 1

    @property
    def tested(self) -> NDArray[np.int64]:
        """Codes of the groups that some fold tests, ascending."""
        held = np.zeros(len(self.names), dtype=np.bool_)
        for fold in self.folds:
            held[self.codes[fold.test]] = True
        return np.flatnonzero(held)


def plan_groups(
    table: SampleTable,
    group: str,
    *,
    folds: int | str | Sequence[str] | None,
    tuning: float,
    seed: int = 0,
    stratify: str | None = None,
) -> GroupPlan:
    """Assign the groups of a table to folds and to tuning.

    With ``folds``, a share of the groups is set aside for tuning: they belong to the training side of every fold, are
    tested in none, and grid points are chosen on them. Without ``folds``, the column ``split`` of the table gives the
    only fold, and grid points are chosen on its training groups. In both cases, no row of a tested group takes part in
    the choice of a grid point.

    Where ``folds`` names columns or is ``"leave-one-out"``, every group may be tested. Then each fold chooses its own
    grid points inside its training rows, so that no row that a fold tests takes part in its choice.

    Args:
        table: The samples.
        group: Column of the groups.
        folds: Number of folds; or columns that hold ``train``, ``test`` or null, by a pattern or by name; or
            ``"leave-one-out"``, which holds each group out once; None takes the column ``split``.
        tuning: Share of the groups set aside for tuning, at least four groups; with columns, the share of a fold's
            training groups, at least one group. Not used with the column ``split``.
        seed: Seed of the assignment.
        stratify: Column that is spread evenly over the folds, by the most frequent value of each group.

    Raises:
        UsageError: When a column is missing, or a column of a fold holds something else.
        DataError: When there are too few groups, a group is on both sides of a split, or is tested in two folds.
    """
    codes = table.codes(group)
    names = _names(table, group, codes)
    if folds is None:
        train, test = _own_split(table, codes, group)
        return GroupPlan(names, codes, (Fold(train, test),), (_inner(codes, np.unique(codes[train]), seed),))
    if not isinstance(folds, int):
        if folds == LEAVE_ONE_OUT:
            made = folds_of_groups(codes, group)
        else:
            made = folds_of_columns(table, fold_columns(table, folds), codes, group)
        return GroupPlan(names, codes, made, inner_folds(made, codes, tuning, seed))
    order = _spread(table, codes, len(names), stratify, np.random.default_rng([seed, 1]))
    aside = max(4, round(tuning * len(names)))
    if len(names) - aside < folds:
        raise DataError(
            f"{len(names)} groups of {group!r} are too few for {folds} folds and {aside} set aside for tuning",
            "use fewer folds or a finer group",
        )
    # Groups of one value are neighbours in this order: taking every k-th gives each fold its share of every value.
    place = np.linspace(0, len(order) - 1, aside).round().astype(np.int64)
    kept = order[place]
    rest = np.delete(order, place)
    fold_of = np.full(len(names) + 1, -1, dtype=np.int64)  # the last one is for rows without a group
    fold_of[rest] = np.arange(len(rest)) % folds
    where = fold_of[codes]
    known = codes >= 0
    planned = tuple(Fold(known & (where != k), where == k) for k in range(folds))
    return GroupPlan(names, codes, planned, (_inner(codes, kept, seed),))


def _own_split(table: SampleTable, codes: NDArray[np.int64], group: str) -> tuple[Rows, Rows]:
    sides = []
    for side in ("train", "test"):
        rows = np.zeros(len(table), dtype=np.bool_)
        if "split" in table.columns:
            rows[table.rows_of(side)] = True
        sides.append(rows & (codes >= 0))
        if not sides[-1].any():
            raise DataError(f"no row of the table is in split {side!r}", "scan --split-by, or give the study `folds`")
    both = np.intersect1d(codes[sides[0]], codes[sides[1]])
    if len(both):
        raise DataError(
            f"both sides of the split share {plural(len(both), 'group')} of {group!r}",
            "ssl-domains splits audit says which",
        )
    return sides[0], sides[1]


def _inner(codes: NDArray[np.int64], groups: NDArray[np.int64], seed: int) -> Fold:
    shuffled = np.random.default_rng([seed, 2]).permutation(groups)
    count = max(1, round(_INNER * len(shuffled)))
    if len(shuffled) - count < 1:
        raise DataError(f"{len(shuffled)} groups are too few to choose grid points on", "use a finer group")
    return Fold(np.isin(codes, shuffled[count:]), np.isin(codes, shuffled[:count]))


def _spread(
    table: SampleTable, codes: NDArray[np.int64], count: int, stratify: str | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Shuffled group codes; with ``stratify``, sorted by the most frequent value of each group."""
    shuffled = rng.permutation(count)
    if stratify is None:
        return shuffled
    values = table.codes(stratify)
    known = (codes >= 0) & (values >= 0)
    counts = np.zeros((count, values.max(initial=0) + 1), dtype=np.int64)
    np.add.at(counts, (codes[known], values[known]), 1)
    return shuffled[np.argsort(counts.argmax(1)[shuffled], kind="stable")]


def _names(table: SampleTable, group: str, codes: NDArray[np.int64]) -> tuple[str, ...]:
    count = int(codes.max(initial=-1)) + 1
    if looks_identifying(table, group):  # result pages print group names, which must not be identifiers
        return tuple(f"no. {number}" for number in range(1, count + 1))
    known = np.flatnonzero(codes >= 0)
    first = dict(zip(codes[known[::-1]].tolist(), known[::-1].tolist(), strict=True))
    values = table.column(group)
    return tuple(str(values[first[code]]) for code in range(count))
