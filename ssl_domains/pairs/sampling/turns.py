"""An endless sequence of units for epochs of any length: a permutation of all units, then another one, and so on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.sorting import positions_dtype

__all__ = ["Turns"]

Ints = NDArray[np.int64]


class Turns:
    """A sequence of turns, each of which holds every unit once in an order of its own.

    The turn number ``t`` depends on the seed and on ``t`` only. A unit is a row or a chunk of a group.

    Args:
        make: Makes a turn ``[units, …]`` with a generator.
        units: Units of a turn.
        size: Rows of the table.
    """

    def __init__(self, make: Callable[[np.random.Generator], Ints], units: int, size: int) -> None:
        self.make, self.units = make, units
        self._dtype = positions_dtype(size)
        self._kept: tuple[int, int, NDArray[Any]] | None = None

    def stretch(self, seed: int, first: int, count: int) -> Ints:
        """The units number ``first`` to ``first + count`` of the sequence: ``[count, …]``."""
        turns = range(first // self.units, (first + count - 1) // self.units + 1)
        parts = []
        for turn in turns:
            start, stop = max(first - turn * self.units, 0), min(first + count - turn * self.units, self.units)
            parts.append(self._turn(seed, turn)[start:stop])
        return np.concatenate(parts).astype(np.int64)

    def _turn(self, seed: int, turn: int) -> NDArray[Any]:
        if self._kept is None or self._kept[:2] != (seed, turn):
            self._kept = None  # frees its memory before the next one is made
            self._kept = (seed, turn, self.make(np.random.default_rng([seed, turn, 1])).astype(self._dtype))
        return self._kept[2]

    @property
    def nbytes(self) -> int:
        """Bytes of the turn that is kept for the next stretch."""
        return 0 if self._kept is None else self._kept[2].nbytes
