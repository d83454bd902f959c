"""How a depth-major copy orders the samples of a volume: in bricks, so that slices and cubes lie on few pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PAGE", "Bricks", "bricks_for"]

PAGE = 4096
"""Bytes that the operating system reads at least."""
_DEEP = 64
"""Samples of a brick at most: a time slice is read in pieces of one page, and a cube in pieces of up to 64."""

_MORE, _LITTLE = 1.3, 1 << 16
"""Whole pages are copied where they hold up to this many times what is wanted, or up to this many bytes in all."""

_SIDES = {1: (64, 64), 2: (32, 64), 4: (32, 32), 8: (16, 32)}
"""Bytes of a number → inlines and crosslines of a brick: one time slice of a brick is one page."""


@dataclass(frozen=True)
class Bricks:
    """The order of the numbers of a volume ``[inline, crossline, sample]`` in a file of bricks.

    The volume is divided into bricks of equal sides; those at its ends are filled up with zeros. Bricks follow each
    other along crosslines, then inlines, then samples; within a brick the numbers lie ``[sample, inline, crossline]``.

    Attributes:
        shape: Inlines, crosslines, samples.
        dtype: Type of the numbers.
        sides: Inlines, crosslines, samples of a brick.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    sides: tuple[int, int, int]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Bricks along inlines, crosslines, samples."""
        inlines, crosslines, samples = (-(-side // one) for side, one in zip(self.shape, self.sides, strict=True))
        return inlines, crosslines, samples

    @property
    def nbytes(self) -> int:
        """Bytes of all bricks."""
        return math.prod(self.counts) * math.prod(self.sides) * self.dtype.itemsize

    def array(self, buffer: Any, offset: int) -> NDArray[Any]:
        """The bricks of a file, ``[brick of samples, of inlines, of crosslines, sample, inline, crossline]``."""
        (inlines, crosslines, samples), (i, x, s) = self.counts, self.sides
        return np.ndarray((samples, inlines, crosslines, s, i, x), self.dtype, buffer, offset)

    def read(self, bricks: NDArray[Any], box: Sequence[slice]) -> NDArray[Any]:
        """A part of the volume, ``[inline, crossline, sample]``, in memory ordered by samples, inlines, crosslines.

        Args:
            bricks: As `array` gives them.
            box: Slices along inlines, crosslines and samples, without steps.
        """
        if self._few_more(box):
            return self._of_whole_bricks(bricks, box)
        inlines, crosslines, samples = box
        sides = [one.stop - one.start for one in (samples, inlines, crosslines)]
        made = np.empty(sides, self.dtype)
        for source, target in self._pieces(box):
            (bs, s, ps), (bi, i, pi), (bx, x, px) = source
            piece = bricks[bs, bi, bx, s, i, x].transpose(0, 3, 1, 4, 2, 5)
            # Splitting each side of the target in two is a view, as numpy never copies to split a side.
            made[target].reshape(ps + pi + px)[...] = piece
        return made.transpose(1, 2, 0)

    def _few_more(self, box: Sequence[slice]) -> bool:
        """Whether all places of the pages that a part touches are few enough to be copied, wanted or not."""
        wanted = math.prod(one.stop - one.start for one in box)
        copied = self.pages(box) * math.prod(self.sides[:2])
        return wanted > 0 and (copied <= _MORE * wanted or copied * self.dtype.itemsize <= _LITTLE)

    def _of_whole_bricks(self, bricks: NDArray[Any], box: Sequence[slice]) -> NDArray[Any]:
        """`read`, by copying whole rows of bricks, one item each; the part is cut out of the copy."""
        (i, ni), (x, nx) = (
            (one.start // side, -(-one.stop // side) - one.start // side)
            for one, side in zip(box[:2], self.sides[:2], strict=True)
        )
        rows, columns = self.sides[:2]
        row = np.dtype((np.void, columns * self.dtype.itemsize))
        made = np.empty((box[2].stop - box[2].start, ni * rows, nx * columns), self.dtype)
        target = made.reshape(len(made), ni, rows, nx, columns).view(row)[..., 0]
        for (of, inside, sides), at in _runs(box[2], self.sides[2]):
            found = bricks[of, i : i + ni, x : x + nx, inside].view(row)[..., 0]
            target[at].reshape(*sides, ni, rows, nx)[...] = found.transpose(0, 3, 1, 4, 2)
        top, left = box[0].start - i * rows, box[1].start - x * columns
        part = made[:, top : top + box[0].stop - box[0].start, left : left + box[1].stop - box[1].start]
        return part.transpose(1, 2, 0)

    def write(self, bricks: NDArray[Any], box: Sequence[slice], values: NDArray[Any]) -> None:
        """The reverse of `read`: ``values`` are ``[inline, crossline, sample]``."""
        deep = values.transpose(2, 0, 1)
        for source, target in self._pieces(box):
            (bs, s, ps), (bi, i, pi), (bx, x, px) = source
            bricks[bs, bi, bx, s, i, x].transpose(0, 3, 1, 4, 2, 5)[...] = deep[target].reshape(ps + pi + px)

    def pages(self, box: Sequence[slice]) -> int:
        """Number of pages that a part of the volume touches."""
        touched = [-(-one.stop // side) - one.start // side for one, side in zip(box[:2], self.sides[:2], strict=True)]
        number: int = math.prod(touched) * (box[2].stop - box[2].start)
        return number

    def _pieces(
        self, box: Sequence[slice]
    ) -> Iterator[tuple[list[tuple[slice, slice, tuple[int, int]]], tuple[slice, slice, slice]]]:
        inlines, crosslines, samples = (list(_runs(one, side)) for one, side in zip(box, self.sides, strict=True))
        for s in samples:
            for i in inlines:
                for x in crosslines:
                    yield [s[0], i[0], x[0]], (s[1], i[1], x[1])


def _runs(part: slice, side: int) -> Iterator[tuple[tuple[slice, slice, tuple[int, int]], slice]]:
    """Divide a part of an axis into the rest of its first brick, whole bricks, and the start of its last brick.

    Yields ((bricks, places in each of them, (number of bricks, number of places)), places of the part).
    """
    start = part.start
    while start < part.stop:
        brick, inside = divmod(start, side)
        if inside or part.stop - start < side:
            count, last = 1, min(side, inside + part.stop - start)
        else:
            count, last = (part.stop - start) // side, side
        taken = count * (last - inside)
        at = start - part.start
        yield (slice(brick, brick + count), slice(inside, last), (count, last - inside)), slice(at, at + taken)
        start += taken


def bricks_for(shape: tuple[int, int, int], dtype: np.dtype[Any]) -> Bricks:
    """The bricks of a copy of a volume.

    Each time slice of a brick fills a page. Along samples, bricks are as deep as leaves the fewest places unused.
    """
    deep = -(-shape[2] // -(-shape[2] // _DEEP))
    return Bricks(shape, np.dtype(dtype), (*_SIDES[np.dtype(dtype).itemsize], deep))
