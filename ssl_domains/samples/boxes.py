"""Several parts of one array at once, all of the same sides: what a batch of patches reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ssl_domains.overriding import does_many
from ssl_domains.samples.lazy import LazyArray

__all__ = ["boxes_of", "read_boxes"]

_FEW = 4  # boxes up to which slicing each of them takes less time


def boxes_of(whole: NDArray[Any], starts: NDArray[np.int64], sides: Sequence[int]) -> NDArray[Any]:
    """Copies of several parts of an array, ``[n, *sides]``, in its type and byte order.

    Example:
        >>> boxes_of(np.arange(10), np.array([[2], [7]]), (3,)).tolist()
        [[2, 3, 4], [7, 8, 9]]

    Args:
        whole: The array.
        starts: First place of each part along each side, int64 ``[n, rank]``.
        sides: Lengths of the parts.

    Raises:
        IndexError: When a part doesn't lie inside the array.
    """
    room = np.array(whole.shape) - sides
    if (starts < 0).any() or (starts > room).any():
        raise IndexError(f"parts of sides {list(sides)} don't lie inside an array {list(whole.shape)}")
    if len(starts) <= _FEW:
        made = np.empty((len(starts), *sides), whole.dtype)
        for place, start in enumerate(starts.tolist()):
            made[place] = whole[tuple(slice(at, at + side) for at, side in zip(start, sides, strict=True))]
        return made
    # An array of all parts that there are, in the memory of the whole one: NumPy copies those that are asked for.
    every = as_strided(whole, (*(room + 1).tolist(), *sides), whole.strides * 2, writeable=False)
    found: NDArray[Any] = every[tuple(starts.T)]
    return found


def read_boxes(
    array: LazyArray, starts: NDArray[np.int64], sides: Sequence[int]
) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
    """Read several parts of an array that is read in place, by its ``read_boxes`` or one by one.

    Args:
        array: The array.
        starts: First place of each part along each side, int64 ``[n, rank]``, n at least 1.
        sides: Lengths of the parts.

    Returns:
        The parts, ``[n, *sides]``; and where there is data: bool, of a shape that can be broadcast to the parts, or
        None when all of it is data.

    Raises:
        DataError: When the file can't be read any more.
    """
    if does_many(array, "read_boxes", "read"):
        made: tuple[NDArray[np.generic], NDArray[np.bool_] | None] = array.read_boxes(starts, sides)  # type: ignore[attr-defined]
        return made
    parts = [
        array.read([slice(at, at + side) for at, side in zip(start, sides, strict=True)]) for start in starts.tolist()
    ]
    values = np.stack([one for one, _ in parts])
    if all(valid is None for _, valid in parts):
        return values, None
    whole = np.ones(values.shape, dtype=np.bool_)
    for place, (_, valid) in enumerate(parts):
        if valid is not None:
            whole[place] = valid
    return values, whole
