"""Numbers that lie plainly in their file, read in place: .npy, raw NIfTI and PCM wav."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples.headers import Layout, nifti_layout, npy_layout, wav_layout
from ssl_domains.samples.lazy import boxes_of, normal_slices
from ssl_domains.samples.mapped_file import mapped_file
from ssl_domains.samples.read_error import ReadError

__all__ = ["Region"]


@dataclass(frozen=True)
class Region:
    """A `LazyArray` whose numbers lie in a file at equal distances, such as those of a .npy file.

    Nothing is read before `read`, and then only the pages of the file that hold the requested part. The file is
    mapped once in each process, however many regions of it there are. Indexing gives another region, by the rules of
    NumPy, and reads nothing.

    Example:
        >>> Region.nifti("scan.nii").transpose(2, 1, 0)          # doctest: +SKIP
        >>> Region.npy("pictures.npy")[17, :, :, None]            # doctest: +SKIP

    Attributes:
        path: The file.
        dtype: Type of the numbers in the file, with byte order. `read` gives them in the machine's byte order.
        offset: Place of the first number in the file, in bytes.
        shape: Lengths of the sides.
        strides: Distance in bytes from one number to the next along each side; None for an array in C order.
        size: Size of the file when its header was read, in bytes; a file of another size is not read. None if it is
            not known.
    """

    path: str
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None = None
    size: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", str(self.path))
        object.__setattr__(self, "dtype", np.dtype(self.dtype))
        object.__setattr__(self, "shape", tuple(int(side) for side in self.shape))
        if self.dtype.hasobject:
            raise ReadError("the file holds Python objects, not numbers")

    @classmethod
    def npy(cls, path: str | Path) -> Region:
        """The array of a ``.npy`` file, in C or Fortran order, of any number type.

        Raises:
            ReadError: When the file is no such file, holds objects, or ends before its numbers do.
        """
        return cls._of(npy_layout(Path(path)))

    @classmethod
    def nifti(cls, path: str | Path) -> Region:
        """The voxels of an uncompressed NIfTI file: ``.nii``, or ``.hdr`` with its ``.img``; sides as in the header.

        Raises:
            ReadError: When the file is compressed, or its numbers are not plainly the voxels (it has a scale factor or
                another type than numbers), or it ends before its numbers do.
        """
        return cls._of(nifti_layout(Path(path)))

    @classmethod
    def wav(cls, path: str | Path) -> Region:
        """The samples of an uncompressed wav file, ``[time, channels]``; 8, 16 and 32 bit, or float.

        Raises:
            ReadError: When the file is compressed, has 24 bit, or ends before its numbers do.
        """
        return cls._of(wav_layout(Path(path)))

    @classmethod
    def _of(cls, layout: Layout) -> Region:
        region = cls(str(layout.path), layout.dtype, layout.offset, layout.shape, layout.strides)
        size, end = os.stat(layout.path).st_size, region._ends()[1]
        if size < end:
            raise ReadError(f"the file ends before its numbers do: it has {size} bytes of {end}")
        return cls(region.path, region.dtype, region.offset, region.shape, region.strides, size)

    def __getitem__(self, index: Any) -> Region:
        """Another region, without reading: any basic index of NumPy (slices, whole numbers, None, ``...``).

        Raises:
            IndexError: For another index, or one outside the array.
        """
        index = index if isinstance(index, tuple) else (index,)
        if not all(one is None or one is Ellipsis or isinstance(one, slice | int | np.integer) for one in index):
            raise IndexError("a region is indexed by slices, whole numbers, None and ...")
        whole = self._stand_in()
        return self._moved(whole, whole[index if Ellipsis in index else (*index, ...)])

    def transpose(self, *axes: int) -> Region:
        """A region with its sides in another order, without reading: ``transpose(2, 1, 0)`` of x, y, z is z, y, x."""
        whole = self._stand_in()
        return self._moved(whole, whole.transpose(*axes))

    def read(self, slices: Sequence[slice] = ()) -> tuple[NDArray[np.generic], None]:
        """The requested part, or the whole array without slices, read-only.

        It is a view of the mapped file where the file has the machine's byte order.

        Raises:
            DataError: When the file is not there, or has another size than when its header was read.
        """
        index: tuple[Any, ...] = (*normal_slices(slices, self.shape), ...) if slices else (...,)
        part: NDArray[np.generic] = self._whole()[index]
        if not self.dtype.isnative:
            part = part.astype(self.dtype.newbyteorder("="))
            part.flags.writeable = False
        return part, None

    def read_boxes(self, starts: NDArray[np.int64], sides: Sequence[int]) -> tuple[NDArray[np.generic], None]:
        """Several parts, see `ssl_domains.samples.read_boxes`.

        Raises:
            DataError: As `read` does.
        """
        return boxes_of(self._whole(), starts, sides).astype(self.dtype.newbyteorder("="), copy=False), None

    def _whole(self) -> NDArray[Any]:
        """The whole array in the memory of the mapped file; raises as `read`."""
        low, high = self._ends()
        try:
            mapped = mapped_file(self.path)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is empty"
            raise DataError(f"{Path(self.path).name} can't be read where it lies: {why}", _AGAIN) from error
        if low < 0 or high > len(mapped) or self.size not in (None, len(mapped)):
            wanted = high if self.size is None else self.size
            cause = f"{Path(self.path).name} changed while it was being used: it has {len(mapped)} bytes, not {wanted}"
            raise DataError(cause, _AGAIN)
        whole: NDArray[Any] = np.ndarray(self.shape, self.dtype, mapped, self.offset, self._steps())
        return whole

    def _steps(self) -> tuple[int, ...]:
        if self.strides is not None:
            return self.strides
        steps = np.cumprod([self.dtype.itemsize, *self.shape[:0:-1]], dtype=np.int64)
        return tuple(int(step) for step in steps[::-1][: len(self.shape)])

    def _ends(self) -> tuple[int, int]:
        """First byte of the array in the file, and the byte behind its last."""
        if 0 in self.shape:
            return self.offset, self.offset
        far = [(side - 1) * step for side, step in zip(self.shape, self._steps(), strict=True)]
        low = self.offset + sum(one for one in far if one < 0)
        return low, self.offset + sum(one for one in far if one > 0) + self.dtype.itemsize

    def _stand_in(self) -> NDArray[Any]:
        """An array of this shape and these strides in one number's memory, only to be indexed and never read."""
        return as_strided(np.empty(1, self.dtype), self.shape, self._steps(), writeable=False)

    def _moved(self, whole: NDArray[Any], view: NDArray[Any]) -> Region:
        moved = view.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        return Region(self.path, self.dtype, self.offset + moved, view.shape, view.strides, self.size)


_AGAIN = "run again: the store is filled from the file as it is now"
