"""Names of samples that are unique, whatever the ids in a file are."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["unique_names"]


def unique_names(written: Sequence[str]) -> list[str]:
    """Names in their order, each once: ``l1, l1, l1.2`` becomes ``l1, l1.3, l1.2``.

    The first of equal names stays as it is written. Further ones get the lowest number from 2 on that makes a name
    which no other has.
    """
    taken, first = set(written), set[str]()
    numbers: dict[str, int] = {}
    made = []
    for name in written:
        free = name
        if name in first:
            number = numbers.get(name, 2)
            while (free := f"{name}.{number}") in taken:
                number += 1
            numbers[name] = number + 1
            taken.add(free)
        first.add(name)
        made.append(free)
    return made
