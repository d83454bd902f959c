"""The rows of a table that have a label, an array and a side of the split; shared by the probe and by fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.evaluation.split import EvaluationSplit, evaluation_split, every_group
from ssl_domains.probes import Labels, Task, read_labels
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable, TableMeta, looks_identifying, undecoded_hint
from ssl_domains.stores import ArrayStore

__all__ = ["Labelled", "labelled_rows"]


@dataclass(frozen=True)
class Labelled:
    """Rows with a label, an array and a side of the split.

    Attributes:
        rows: int64 ``[m]``, their positions in the table.
        labels: Labels of all rows of the table; names of identifying classes are replaced by numbers.
        split: Sides and groups of these rows, with the remarks of the split of the whole table.
        dropped: Number of rows of the split without a label.
        notes: Remarks, one line each, those of the split included.
    """

    rows: NDArray[np.int64]
    labels: Labels
    split: EvaluationSplit
    dropped: int
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> Labels:
        """Labels of these rows."""
        return self.labels.take(self.rows)


def labelled_rows(
    table: SampleTable,
    store: ArrayStore,
    label: str,
    *,
    group: str | None,
    trained: frozenset[str],
    meta: TableMeta,
    task: Task | None = None,
    folds: bool = False,
    labels: Labels | None = None,
) -> Labelled:
    """Read a label column and the split of a table.

    Args:
        table: The samples.
        store: Their arrays.
        label: The label column.
        group: Column of the groups; None takes the one that the table or the run was split by.
        trained: Sample ids of the pre-training rows.
        meta: Metadata of the table of the pre-training.
        task: The task; None chooses it by the column.
        folds: Whether every row with a group takes part, for folds in place of the split; see `every_group`.
        labels: Labels of all rows, where they are read already; None reads the column.

    Raises:
        UsageError: When a column is missing or the task does not fit it.
        DataError: When no row has a label, an array and a side.
    """
    given = labels is not None
    labels = read_labels(table.label(label), task) if labels is None else labels
    split = (every_group if folds else evaluation_split)(table, group, trained, run_group=meta.group)
    identifying = label in meta.identifiers or looks_identifying(table, label, split.group)
    hidden = labels.task != "regression" and identifying and not given
    if hidden:  # reports print class names, which must not be identifiers
        labels = replace(labels, classes=tuple(f"no. {code}" for code in range(1, len(labels.classes) + 1)))
    samples = store.of(table)
    sides = split.train | split.test
    usable = sides & labels.known
    unread = int((usable & ~samples.decoded).sum())
    rows = np.flatnonzero(usable & samples.decoded)
    if not len(rows):
        raise _no_rows(label, labels, split, samples.causes(), table)
    return Labelled(
        rows=rows,
        labels=labels,
        split=EvaluationSplit(
            split.train[rows], split.test[rows], split.groups[rows], split.group, split.transductive, split.notes
        ),
        dropped=int((sides & ~labels.known).sum()),
        notes=(
            *split.notes,
            *_hidden(label, split.group, hidden),
            *([f"{plural(unread, 'labelled row')} could not be read"] if unread else []),
        ),
    )


def _hidden(label: str, group: str, hidden: bool) -> tuple[str, ...]:
    """A remark on a label whose values are not printed."""
    if not hidden:
        return ()
    return (
        f"warning: {label!r} looks like an identifier, with values of its own for each {group!r} or sample: they are "
        "not printed, and a class that one group alone has can't be learned for other groups",
    )


def _no_rows(
    label: str, labels: Labels, split: EvaluationSplit, causes: Sequence[str], table: SampleTable
) -> DataError:
    usable = int(((split.train | split.test) & labels.known).sum())
    if usable and causes:
        why = max(set(causes), key=causes.count)
        cause = f"none of {plural(usable, 'row')} with a label {label!r} has an array: {why}"
        return DataError(cause, undecoded_hint(table))
    return DataError(f"no row has both a split and a label {label!r}", "probe another column")
