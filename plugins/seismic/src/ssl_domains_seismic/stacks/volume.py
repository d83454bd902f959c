"""Volumes of one grid as one array, with a channel for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import LazyArray, normal_slices, read_boxes

__all__ = ["StackedVolume"]


@dataclass(frozen=True)
class StackedVolume:
    """A `LazyArray` ``[inline, crossline, sample, stack]`` of volumes of equal sides.

    Nothing is read before `read`, and then only from the stacks that are asked for. A pickle holds the pickles of the
    volumes, which open their files anew.

    Attributes:
        volumes: The stacks, ``[inline, crossline, sample]``.
    """

    volumes: tuple[LazyArray, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Inlines, crosslines, samples, stacks."""
        return (*self.volumes[0].shape, len(self.volumes))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that holds the numbers of all stacks."""
        return np.result_type(*(volume.dtype for volume in self.volumes))

    def read(self, slices: Sequence[slice]) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        """Read a part, see `ssl_domains.samples.LazyArray.read`; a place has data where all its stacks have.

        Raises:
            DataError: When a file is gone, or was changed since its headers were read.
        """
        *places, chosen = normal_slices(slices, self.shape)
        parts = [volume.read(places) for volume in self.volumes[chosen]]
        if len(parts) == 1:
            values, valid = parts[0]
            return values[..., None], None if valid is None else valid[..., None]
        made = np.stack([values for values, _ in parts], axis=-1) if parts else self._nothing(places)
        masks = [valid for _, valid in parts if valid is not None]
        whole = np.logical_and.reduce(masks)[..., None] if masks else None
        return made.astype(self.dtype.newbyteorder("="), copy=False), whole

    def read_boxes(
        self, starts: NDArray[np.int64], sides: Sequence[int]
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        """Read several parts, see `ssl_domains.samples.read_boxes`.

        Raises:
            DataError: As `read` does.
        """
        made = np.empty((len(starts), *sides), dtype=self.dtype.newbyteorder("="))
        valid: NDArray[np.bool_] | None = None
        for place in range(sides[3]):
            for stack in np.unique(starts[:, 3]).tolist():
                rows = np.flatnonzero(starts[:, 3] == stack)
                values, live = read_boxes(self.volumes[stack + place], starts[rows, :3], sides[:3])
                if len(self.volumes) == 1:
                    return values[..., None], None if live is None else live[..., None]
                made[rows, ..., place] = values
                if live is not None:
                    valid = np.ones((len(starts), *sides[:3], 1), dtype=np.bool_) if valid is None else valid
                    valid[rows] &= live[..., None]
        return made, valid

    def _nothing(self, places: Sequence[slice]) -> NDArray[np.generic]:
        sides = [len(range(one.start, one.stop, one.step)) for one in places]
        return np.empty((*sides, 0), dtype=self.dtype.newbyteorder("="))
