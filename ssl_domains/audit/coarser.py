"""Coarser groups, such as sites, that a split by a finer one cuts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ssl_domains.audit.groups import shared_groups
from ssl_domains.audit.sides import Side

__all__ = ["cut_groups"]


def cut_groups(sides: Sequence[Side], columns: Sequence[str]) -> list[str]:
    """Sentences on the coarser groups that are on several sides of a split; none for those that it keeps whole.

    Args:
        sides: The sides of the split.
        columns: Columns of coarser groups; those that a table lacks are passed over.
    """
    notes = []
    for column in columns:
        if not all(column in side.table.columns for side in sides):
            continue
        for a, b in itertools.combinations(sides, 2):
            finding = shared_groups(a, b, column)
            if finding.leak:
                notes.append(
                    f"the split cuts a coarser group, {column!r}: {finding.sentence}; --split-by {column} doesn't"
                )
                break
    return notes
