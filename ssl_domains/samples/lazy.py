"""Arrays that are read in part, where they lie: one part by slices, or the patches of a batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ssl_domains.overriding import does_many

__all__ = ["LazyArray", "boxes_of", "normal_slices", "read_boxes"]

_FEW = 4  # boxes up to which slicing each of them takes less time


@runtime_checkable
class LazyArray(Protocol):
    """An array of which only the requested part is read, such as a volume in its file. Picklable.

    A pickled copy opens its files anew in the process that unpickles it.

    May also have ``read_boxes(starts, sides)``, which reads several parts of equal sides in less time than one by one;
    see `ssl_domains.samples.read_boxes`.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the sides, in the order of the reader's axes."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers; `read` gives them in the machine's byte order, whatever the order here."""
        ...

    def read(self, slices: Sequence[slice]) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        """Read a part of the array.

        Args:
            slices: One for each side, with 0 ≤ start ≤ stop ≤ length and a step of at least 1.

        Returns:
            The same numbers as ``whole[slices]``, in the machine's byte order; and where there is data: bool, of a
            shape that can be broadcast to the part, or None when all of it is data.

        Raises:
            DataError: When the file can't be read any more, in one sentence.
        """
        ...


def normal_slices(slices: Sequence[slice], shape: Sequence[int]) -> tuple[slice, ...]:
    """One slice for each side, with ends inside the side, as `LazyArray.read` takes them.

    Sides without a slice are taken whole. Ends outside are cut and negative ends count from the end, as in NumPy:
    ``normal_slices([slice(-3, None)], (10, 4))`` is ``(slice(7, 10, 1), slice(0, 4, 1))``.

    Raises:
        IndexError: For more slices than sides, or something that is no slice.
        ValueError: For a negative step.
    """
    given = len(slices)
    if given > len(shape):
        raise IndexError(f"{given} slices for an array of {len(shape)} sides")
    made = []
    for axis, side in enumerate(shape):
        if axis >= given:
            made.append(slice(0, side, 1))
            continue
        one = slices[axis]
        if not isinstance(one, slice):
            raise IndexError(f"an array is read by slices, not by {one!r}")
        start, stop, step = one.indices(side)
        if step < 0:
            raise ValueError("an array is read by slices with a positive step")
        made.append(slice(start, stop if stop > start else start, step))
    return tuple(made)


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
