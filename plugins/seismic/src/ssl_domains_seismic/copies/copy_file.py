"""The file of a depth-major copy: a page that says what it was made from, then the bricks."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.copies.bricks import PAGE, Bricks, bricks_for

__all__ = ["DepthCopy", "copy_place", "head_of", "open_copy"]

_MARK = b"ssl-domains depth-major copy\n"
_VOXELS = 16  # numbers that are compared when a copy is opened


@dataclass(frozen=True)
class DepthCopy:
    """A copy that fits its volume.

    Attributes:
        path: The file.
        bricks: The order of its numbers.
    """

    path: str
    bricks: Bricks

    def read(self, box: Sequence[slice]) -> NDArray[np.generic]:
        """A part ``[inline, crossline, sample]``, by slices without steps; holes and dead traces are 0."""
        return self.bricks.read(self._array, box)

    @cached_property
    def _array(self) -> NDArray[Any]:
        with open(self.path, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if hasattr(mmap, "MADV_RANDOM"):
            mapped.madvise(mmap.MADV_RANDOM)  # else the system reads the pages around each one too
        return self.bricks.array(mapped, PAGE)

    def __reduce__(self) -> tuple[Any, ...]:
        return DepthCopy, (self.path, self.bricks)


def copy_place(folder: Path, survey: Path) -> str:
    """Where the copy of a survey lies, for tables in a folder."""
    digest = hashlib.sha256(str(survey).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return str(folder / "segy-copies" / f"{digest}.bricks")


def head_of(bricks: Bricks, stamp: Mapping[str, Any]) -> bytes:
    """The first page of a copy: its order, and what it is made from."""
    said = {"format": 1, "shape": list(bricks.shape), "dtype": bricks.dtype.str, "sides": list(bricks.sides), **stamp}
    return (_MARK + json.dumps(said).encode()).ljust(PAGE, b"\n")


def open_copy(
    path: str,
    name: str,
    shape: tuple[int, int, int],
    dtype: np.dtype[Any],
    stamp: Mapping[str, Any],
    voxel: Callable[[int, int, int], bytes],
) -> DepthCopy | None:
    """Open a copy; None when there is none, or, with a warning, when it wasn't made from the volume as it is now.

    Args:
        path: Its file.
        name: Name of the SEG-Y file, for the warning.
        shape: Inlines, crosslines, samples.
        dtype: Type of the numbers.
        stamp: What the copy must have been made from.
        voxel: Gives the bytes of a number of the volume, by inline, crossline and sample, to compare some of them.
    """
    copy = DepthCopy(path, bricks_for(shape, dtype))
    try:
        why = _misfit(copy, stamp, voxel)
    except FileNotFoundError:
        return None
    except OSError as error:
        why = error.strerror or str(error)
    if why is None:
        return copy
    warnings.warn(
        f"the copy {Path(path).name} of {name} is not used: {why}; the survey itself is read, slower "
        "(ssl-domains seismic copy makes the copy anew)",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


def _misfit(copy: DepthCopy, stamp: Mapping[str, Any], voxel: Callable[[int, int, int], bytes]) -> str | None:
    """Why a copy doesn't fit its volume; None when it does."""
    with open(copy.path, "rb") as file:
        head, size = file.read(PAGE), os.fstat(file.fileno()).st_size
    fits = head == head_of(copy.bricks, stamp)
    if len(head) < PAGE or not head.startswith(_MARK) or (fits and size != PAGE + copy.bricks.nbytes):
        return "it is no depth-major copy, or a damaged one"
    if not fits:
        return "the survey was changed since, or is read in another way"
    for place in _voxels(copy.bricks.shape):
        if copy.read([slice(at, at + 1) for at in place]).tobytes() != voxel(*place):
            return "its samples are not those of the survey"
    return None


def _voxels(shape: tuple[int, int, int]) -> Iterator[tuple[int, int, int]]:
    """Places that are compared: the same ones each time, spread over the volume."""
    for inline, crossline, sample in np.random.default_rng(0).random((_VOXELS, 3)) * shape:
        yield int(inline), int(crossline), int(sample)
