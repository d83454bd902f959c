"""Edit distance (Levenshtein): fewest insertions, deletions and substitutions between two sequences."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

__all__ = ["edit_distance"]


def edit_distance(truth: Sequence[Hashable], answer: Sequence[Hashable]) -> int:
    """Fewest edits that turn ``answer`` into ``truth``; of two texts by character, of two lists of words by word.

    Example:
        >>> edit_distance("kitten", "sitting"), edit_distance("a b".split(), "a c b".split())
        (3, 1)
    """
    numbers: dict[Hashable, int] = {}
    one, other = (np.array([numbers.setdefault(item, len(numbers)) for item in given]) for given in (truth, answer))
    places = np.arange(len(other) + 1)
    row = places.copy()
    for count, item in enumerate(one, start=1):
        # Deletion or substitution, from the row above; then insertions, a running minimum along the row.
        best = np.minimum(row[1:] + 1, row[:-1] + (other != item))
        row = np.minimum.accumulate(np.concatenate([[count], best]) - places) + places
    return int(row[-1])
