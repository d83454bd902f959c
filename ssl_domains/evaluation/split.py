"""Training and test rows of a probe: the split of the table, a new group-disjoint split, or folds of all groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.probes import Labels
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable, group_split

__all__ = ["EACH_GROUP", "EvaluationSplit", "Sides", "evaluation_split", "every_group", "fold_sides"]


EACH_GROUP = 0
"""In the place of a number of folds: as many folds as groups (leave one group out)."""

Sides = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""(training rows, test rows), bool ``[n]`` each."""


@dataclass(frozen=True)
class EvaluationSplit:
    """A split of a table's rows for a probe.

    Attributes:
        train: bool ``[n]``: training rows.
        test: bool ``[n]``: test rows.
        groups: int64 codes ``[n]``, −1 for rows without a group, which are on neither side.
        group: Column of the groups; ``"sample"`` when each row is its own group.
        transductive: Sentence that says how many test groups were in pre-training; empty when none was.
        notes: Remarks, one line each.
    """

    train: NDArray[np.bool_]
    test: NDArray[np.bool_]
    groups: NDArray[np.int64]
    group: str
    transductive: str = ""
    notes: tuple[str, ...] = ()

    @property
    def test_groups(self) -> int:
        """Number of held-out groups."""
        return len(np.unique(self.groups[self.test]))


def evaluation_split(
    table: SampleTable,
    group: str | None,
    trained: frozenset[str],
    *,
    run_group: str | None = None,
    test: float = 0.2,
    seed: int = 0,
) -> EvaluationSplit:
    """Use the column ``split`` if there is one, else split by ``group``; report test groups that were in pre-training.

    Args:
        table: The samples.
        group: Column whose groups are held out as a whole; None takes the one the table was split by.
        trained: Sample ids of the pre-training rows.
        run_group: Column that the run's table was split by, which holds where ``table`` has lost its metadata.
        test: Share of groups to hold out when the table has no split.
        seed: Seed of that split.

    Raises:
        UsageError: When there is neither a split nor a group, or the column that the run was split by is missing.
        DataError: When the table's split leaves no row on a side.
    """
    made = "split" not in table.columns
    notes = []
    if made:
        if group is None:
            raise UsageError(
                "the table has no column 'split', and no --group to split by was given",
                f"--group {table.meta.group or run_group or 'COLUMN'} holds out groups of this column",
            )
        table = group_split(table, group, test=test, seed=seed)
        notes.append(f"the table has no split: {test:.0%} of the groups of {group!r} are held out here, by seed {seed}")
    elif group is None:
        group = _recorded_group(table, run_group)
        if group == "sample":
            notes.append("no --group given: every sample counts as its own group")
    groups = table.codes(group)
    split = table.text("split")
    sides = [(split == side).fill_null(False).to_numpy() & (groups >= 0) for side in ("train", "test")]
    for rows, side in zip(sides, ("train", "test"), strict=True):
        if not rows.any():
            raise DataError(f"no row of the table is in split {side!r}", "split it with scan --split-by COLUMN")
    lost = int((groups < 0).sum())
    if lost:
        notes.append(f"left out: {plural(lost, 'row')} without {group!r}")
    return EvaluationSplit(
        sides[0], sides[1], groups, group, _pretrained_groups(table, groups, sides[1], trained), tuple(notes)
    )


def every_group(
    table: SampleTable, group: str | None, trained: frozenset[str], *, run_group: str | None = None
) -> EvaluationSplit:
    """All rows that have a group, as training rows of a split without test rows; `fold_sides` cuts them.

    Args:
        table: The samples; its column ``split`` is not used.
        group: Column of the groups; None takes the one that the table or the run was split by.
        trained: Sample ids of the pre-training rows.
        run_group: Column that the run's table was split by.

    Raises:
        UsageError: When a column is missing.
        DataError: When no row has a group.
    """
    group = _recorded_group(table, run_group) if group is None else group
    groups = table.codes(group)
    known = groups >= 0
    if not known.any():
        raise DataError(f"no row has a {group!r}", "name another column with --group")
    notes = ["the folds take the place of the table's split"] if "split" in table.columns else []
    if group == "sample":
        notes.append("no --group given: every sample counts as its own group")
    if not known.all():
        notes.append(f"left out: {plural(int((~known).sum()), 'row')} without {group!r}")
    seen = _pretrained_groups(table, groups, known, trained)
    return EvaluationSplit(known, np.zeros(len(table), dtype=np.bool_), groups, group, seen, tuple(notes))


def fold_sides(labels: Labels, groups: NDArray[np.int64], folds: int, seed: int = 0) -> list[Sides]:
    """Both sides of every fold; each group is tested in exactly one.

    The groups of one class are spread evenly over the folds, so that a class whose groups are few is trained on where
    it is tested.

    Args:
        labels: ``n`` labels, all known.
        groups: Group of each row ``[n]``.
        folds: Number of folds, or `EACH_GROUP`.
        seed: Seed of the assignment.

    Raises:
        UsageError: When there is only one fold, or there are fewer groups than folds.
    """
    names, codes = np.unique(groups, return_inverse=True)
    count = len(names) if folds == EACH_GROUP else folds
    if count < 2 or len(names) < count:
        raise UsageError(
            f"{plural(len(names), 'group')} can't be held out in {plural(count, 'fold')}",
            f"--folds 2 to {len(names)}, or --folds all" if len(names) > 1 else "name another column with --group",
        )
    order = np.random.default_rng([seed, 0xF01D]).permutation(len(names))
    if labels.task == "classification":
        holds = np.zeros((len(names), len(labels.classes)), dtype=np.int64)
        np.add.at(holds, (codes, labels.y), 1)
        order = order[np.argsort(holds.argmax(axis=1)[order], kind="stable")]
    fold_of = np.empty(len(names), dtype=np.int64)
    fold_of[order] = np.arange(len(names)) % count
    return [(fold_of[codes] != fold, fold_of[codes] == fold) for fold in range(count)]


def _recorded_group(table: SampleTable, run_group: str | None) -> str:
    """The column that the table or the run was split by; ``"sample"`` when neither was."""
    recorded = [name for name in (table.meta.group, run_group) if name is not None]
    for name in recorded:
        if name in table.columns:
            return name
    if not recorded:
        return "sample"
    raise UsageError(
        f"the samples were split by {recorded[0]!r}, and the table has no such column to keep groups whole by",
        "name the column with --group, or probe the table with --samples that has it",
    )


def _pretrained_groups(
    table: SampleTable, groups: NDArray[np.int64], test: NDArray[np.bool_], trained: frozenset[str]
) -> str:
    """Sentence that says how many of the test groups were in pre-training; empty when none was."""
    in_training = table.frame["sample"].is_in(list(trained)).to_numpy()
    tested = np.unique(groups[test])
    both = np.intersect1d(tested, np.unique(groups[in_training]))
    if not len(both):
        return ""
    return f"{len(both)} of {len(tested)} test groups were pre-trained on, without their labels"
