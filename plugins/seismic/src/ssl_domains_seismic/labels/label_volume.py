"""Label volumes on the disk: uint8 ``.npy`` files ``[inline, crossline, sample]`` on the grid of a survey."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import ReadError, Region, write_whole
from ssl_domains_seismic.labels.grid import UNLABELLED

__all__ = ["open_label_volume", "read_mask", "write_label_volume"]

_SECTION = {"inline": 0, "crossline": 1, "depth": 2}
_AXES = ("inlines", "crosslines", "samples")


def write_label_volume(path: Path, shape: tuple[int, int, int], fill: Callable[[NDArray[np.uint8]], object]) -> None:
    """Write a label volume, completely or not at all.

    Args:
        path: The file, ``NAME.npy``; its folder exists.
        shape: Inlines, crosslines and samples of the survey.
        fill: Function that writes class numbers into the array that it gets: uint8 ``[inline, crossline, sample]``,
            mapped from the file, with `UNLABELLED` everywhere. An error that it raises leaves no file.

    Raises:
        OSError: As the system raises it.
    """

    def write(part: Path) -> None:
        volume = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=shape)
        for inline in volume:
            inline[...] = UNLABELLED
        fill(volume)
        volume.flush()

    write_whole(path, write)


def open_label_volume(path: str | Path) -> Region:
    """A label volume, not yet read.

    Raises:
        ReadError: When it is no ``.npy`` file of three axes and uint8 numbers.
    """
    region = Region.npy(path)
    if len(region.shape) != 3 or region.dtype != np.uint8:
        sides = " × ".join(map(str, region.shape)) or "one number"
        raise ReadError(f"the label volume holds {sides} of {region.dtype.name}, not three axes of uint8")
    return region


def read_mask(volume: Region, row: Mapping[str, Any]) -> NDArray[np.uint8]:
    """The class numbers of a sample, uint8 ``[H, W]``, standing as its picture: 255 is unlabelled.

    Of a sample of several neighbouring sections it is that of the middle one. Only this part of the file is read.

    Args:
        volume: The label volume of the survey.
        row: The sample's row, with ``region`` and ``along``.

    Raises:
        ReadError: When the row has no region, or it lies outside the volume.
    """
    along, region = row.get("along"), row.get("region")
    if along not in _SECTION or region is None or len(region) < 6:
        raise ReadError("the row names no axis or no region, so it has no place in the label volume")
    slices = _middle(region, _SECTION[along])
    for part, side, axis in zip(slices, volume.shape, _AXES, strict=True):
        if part.stop > side:
            raise ReadError(f"the sample reaches to place {part.stop} of the {axis}, the label volume has {side}")
    try:
        part, _ = volume.read(slices)
    except DataError as error:
        raise ReadError(str(error)) from error
    # Imported when called: it loads torch.
    from ssl_domains_seismic.preprocess import picture_of

    return np.ascontiguousarray(picture_of(np.asarray(part, dtype=np.uint8), along)[:, :, 0])


def _middle(region: Sequence[int], section: int) -> list[slice]:
    """A region, start and stop along each axis, with the middle one of its sections alone."""
    slices = [slice(int(start), int(stop)) for start, stop in zip(region[0:6:2], region[1:6:2], strict=True)]
    middle = (slices[section].start + slices[section].stop) // 2
    slices[section] = slice(middle, middle + 1)
    return slices
