"""Arrays that are read in part, where they lie, and the slices they are read by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = ["LazyArray", "normal_slices"]


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
