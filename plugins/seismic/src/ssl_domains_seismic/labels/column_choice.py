"""One choice of columns among several that fit a survey equally well, or the error that asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError

__all__ = ["COLUMNS", "distinct", "only_choice"]

COLUMNS = ("inline", "crossline", "x", "y", "time")
"""Names of columns."""

_NAMES = {
    "inline": ("inline", "iline", "il", "in-line"),
    "crossline": ("crossline", "xline", "xl", "cross-line", "trace", "cdp"),
    "x": ("x", "easting", "cdp_x", "utmx"),
    "y": ("y", "northing", "cdp_y", "utmy"),
    "time": ("time", "twt", "z", "t", "ms", "depth"),
}

T = TypeVar("T")


def distinct(choices: Sequence[T], meaning: Callable[[T], NDArray[np.generic]]) -> list[T]:
    """The choices that mean something else than those before them: a column that is stored twice is one choice."""
    kept: list[tuple[T, NDArray[np.generic]]] = []
    for choice in choices:
        array = meaning(choice)
        if not any(np.array_equal(array, other, equal_nan=array.dtype.kind == "f") for _, other in kept):
            kept.append((choice, array))
    return [choice for choice, _ in kept]


def only_choice(choices: Sequence[tuple[int, ...]], names: Sequence[str], roles: Sequence[str]) -> tuple[int, ...]:
    """The only choice, or the only one whose columns have the names of their roles.

    Args:
        choices: Columns of each choice, one for each role.
        names: Name of each column in lower case; empty when the file has none.
        roles: Names from `COLUMNS`.

    Raises:
        ReadError: When several are left.
    """
    if len(choices) > 1 and names:
        named = [
            choice
            for choice in choices
            if all(names[column] in _NAMES[role] for column, role in zip(choice, roles, strict=True))
        ]
        choices = named if len(named) == 1 else choices
    if len(choices) > 1:
        shown = " or ".join(" and ".join(str(column + 1) for column in choice) for choice in choices)
        raise ReadError(
            f"columns {shown} may be {' and '.join(roles)}: both fit the survey; name every column of numbers, "
            f"such as {','.join(COLUMNS)}, with - for others"
        )
    return choices[0]
