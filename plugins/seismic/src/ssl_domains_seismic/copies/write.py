"""Making a depth-major copy: block by block, under a temporary name until it is whole."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import write_whole
from ssl_domains_seismic.copies.bricks import PAGE, Bricks, bricks_for
from ssl_domains_seismic.copies.copy_file import head_of
from ssl_domains_seismic.segy.volume import SegyVolume

__all__ = ["copy_bytes", "copy_seconds", "write_copy"]

_BLOCK = 16 << 20  # bytes that are put together at a time
Box = tuple[slice, slice, slice]


def copy_bytes(shape: tuple[int, int, int], dtype: np.dtype[np.generic]) -> int:
    """Size of the copy of a volume in bytes."""
    return PAGE + bricks_for(shape, dtype).nbytes


def copy_seconds(volume: SegyVolume, folder: Path) -> float:
    """About how long a copy takes: the first block is read and written to a temporary file that is removed again.

    Raises:
        DataError: When the survey can't be read.
        OSError: When the folder can't be written to.
    """
    bricks = bricks_for(volume.shape, volume.dtype)
    blocks = list(_blocks(bricks, volume))
    started = time.perf_counter()
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(_ordered(volume, bricks, blocks[0]).data)
        file.flush()
        os.fsync(file.fileno())
    return len(blocks) * (time.perf_counter() - started)


def write_copy(volume: SegyVolume, path: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Write the depth-major copy of a volume.

    It is written under a temporary name and renamed when it is whole, so a process that is killed leaves nothing that
    looks like a copy. Memory holds some times 16 MB.

    Args:
        volume: The survey.
        path: The file to write; its folder exists.
        progress: Called with bytes written and all bytes.

    Raises:
        DataError: When the survey was changed meanwhile.
        OSError: As the system raises it; an older copy is unchanged then.
    """
    bricks = bricks_for(volume.shape, volume.dtype)
    head = head_of(bricks, volume.stamp())

    def write(part: Path) -> None:
        done = 0
        with part.open("wb") as file:
            file.write(head)
            for box in _blocks(bricks, volume):
                made = _ordered(volume, bricks, box)
                for layer in range(made.shape[0]):
                    for row in range(made.shape[1]):
                        file.seek(PAGE + _place(bricks, box, layer, row) * made[0, 0, 0].nbytes)
                        file.write(made[layer, row].data)
                done += made.nbytes
                if progress is not None:
                    progress(done, bricks.nbytes)

    write_whole(path, write)


def _ordered(volume: SegyVolume, bricks: Bricks, box: Box) -> NDArray[np.generic]:
    """The bricks of a part of the volume, as `Bricks.array` has them; places outside the volume are 0."""
    inside = tuple(slice(one.start, min(one.stop, side)) for one, side in zip(box, volume.shape, strict=True))
    values = volume.read_from_file(inside)[0]
    i, x, s = bricks.sides
    sides = [-(-(one.stop - one.start) // side) for one, side in zip(box, bricks.sides, strict=True)]
    made = np.zeros((sides[2], sides[0], sides[1], s, i, x), bricks.dtype)
    bricks.write(made, tuple(slice(0, one.stop - one.start) for one in inside), values)
    return made


def _place(bricks: Bricks, box: Box, layer: int, row: int) -> int:
    """Number of the first brick of a row of bricks of a block."""
    first: list[int] = [one.start // side for one, side in zip(box, bricks.sides, strict=True)]
    inlines, crosslines, _ = bricks.counts
    return ((first[2] + layer) * inlines + first[0] + row) * crosslines + first[1]


def _blocks(bricks: Bricks, volume: SegyVolume) -> Iterator[Box]:
    """Parts of whole bricks that cover the volume, in the order of the traces in the file, of about 16 MB each."""
    rule = volume.grid.regular
    slow, fast = (1, 0) if rule is not None and abs(rule[1]) < abs(rule[2]) else (0, 1)
    each = math.prod(bricks.sides) * bricks.dtype.itemsize
    deep = min(bricks.counts[2], max(1, _BLOCK // each))
    many = min(bricks.counts[fast], max(1, _BLOCK // (each * deep)))
    steps = [1, 1, deep]
    steps[fast] = many
    starts = [range(0, count, step) for count, step in zip(bricks.counts, steps, strict=True)]
    for outer, inner, layer in product(starts[slow], starts[fast], starts[2]):
        first = [0, 0, layer]
        first[slow], first[fast] = outer, inner
        inlines, crosslines, samples = (
            slice(at * side, min(at + step, count) * side)
            for at, step, count, side in zip(first, steps, bricks.counts, bricks.sides, strict=True)
        )
        yield inlines, crosslines, samples
