"""What position alone reaches with a split of rows at random, and with the split of a table.

``python -m benchmarks.split_leak TABLE --label COLUMN [--floor COLUMNS] [--split COLUMN]``

Both rows of the table have the same number of test rows. A score that falls from the first row to the second was the
nearness of training rows, and no skill.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import SslDomainsError
from ssl_domains.probes import HEADLINE, Labels, column_floor, read_labels
from ssl_domains.samples import SampleTable, read_table

__all__ = ["leak_rows", "main"]

Row = tuple[str, int, int, dict[str, float]]
"""Name of the split, numbers of training and test rows, score by name."""


def leak_rows(table: SampleTable, label: str, columns: Sequence[str], split: str, seed: int = 0) -> list[Row]:
    """Scores of a forest on columns alone, with test rows drawn at random and with those of the table.

    Args:
        table: The samples.
        label: The probed column.
        columns: Columns that the forest reads.
        split: Column of ``train`` and ``test``; other values are on neither side.
        seed: Seed of the random split.
    """
    labels = read_labels(table.label(label))
    sides = np.array([str(value) for value in table.column(split).to_list()])
    train, test = ((sides == side) & labels.known for side in ("train", "test"))
    known = np.flatnonzero(labels.known)
    drawn = np.zeros(len(table), dtype=np.bool_)
    drawn[np.random.default_rng(seed).choice(known, int(test.sum()), replace=False)] = True
    return [
        _row("rows at random", table, labels, columns, labels.known & ~drawn, drawn),
        _row(f"column {split!r}", table, labels, columns, train, test),
    ]


def _row(
    name: str,
    table: SampleTable,
    labels: Labels,
    columns: Sequence[str],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
) -> Row:
    groups = np.arange(len(table))
    scores = column_floor(table, columns, labels, groups, train, test).scores
    named = {HEADLINE[labels.task]: scores.values[HEADLINE[labels.task]], **scores.per_class}
    values = {key: float("nan") if value is None else value for key, value in named.items()}
    return name, int(train.sum()), int(test.sum()), values


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both rows.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.split_leak", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--label", required=True)
    parser.add_argument("--floor", default="inline_bin,crossline_bin,sample_bin", help="columns, with commas")
    parser.add_argument("--split", default="split", help="column of train and test")
    given = parser.parse_args(arguments)
    try:
        rows = leak_rows(read_table(given.table), given.label, given.floor.split(","), given.split)
    except SslDomainsError as error:
        print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return error.exit_code
    print("  ".join(["split".ljust(18), "train".rjust(7), "test".rjust(7), *rows[0][3]]))
    for name, train, test, values in rows:
        shown = (f"{value:.3f}".rjust(len(key)) for key, value in values.items())
        print("  ".join([name.ljust(18), f"{train:,}".rjust(7), f"{test:,}".rjust(7), *shown]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
