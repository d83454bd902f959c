"""What a batch sampler yields: the samples of one batch, with the place of each in the global batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ask"]


class Ask(list[int]):
    """The samples that one process needs for one batch; as a list, their positions in the bound table.

    A dataset that draws random numbers, for instance a crop of each sample, keys them by ``step`` and ``slots``, so
    that they depend neither on the number of worker processes nor on the number of training processes.

    Args:
        step: Step of the run, counted over all epochs from 0.
        slots: int64 ``[b]``, the places of this process in the global batch.
        seats: int64 ``[S, b]``, the positions of the samples: seat 0 of each slot, then seat 1, and so on. The list
            holds them flattened.
    """

    def __init__(self, step: int, slots: NDArray[np.int64], seats: NDArray[np.int64]) -> None:
        super().__init__(seats.ravel().tolist())
        self.step = step
        self.slots = slots
        self.seats = seats

    def __reduce__(self) -> tuple[type[Ask], tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        return Ask, (self.step, self.slots, self.seats)
