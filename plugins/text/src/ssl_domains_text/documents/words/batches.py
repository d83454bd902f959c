"""Batches of positions of a corpus: sentences in an order drawn anew for each epoch, cut every so many words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.csr import runs
from ssl_domains.pairs.sampling.ask import Ask

__all__ = ["PositionBatches"]


@dataclass(frozen=True)
class PositionBatches:
    """The batches of a training: each position of the corpus comes once an epoch.

    Words of one sentence stand side by side in a batch, because a position needs its neighbours. A sentence at the end
    of a batch is cut, and goes on in the next one. A batch is a function of (seed, epoch, batch) alone, so a training
    can go on anywhere.

    Attributes:
        bounds: Start of each sentence, and the end of the last, int64 ``[S + 1]``.
        size: Positions of a batch; the last one of an epoch has what remains.
        seed: Seed of the order.
    """

    bounds: NDArray[np.int64]
    size: int
    seed: int

    def __len__(self) -> int:
        return -(-int(self.bounds[-1]) // self.size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Ask]:
        """The batches of an epoch from batch ``start`` on; each asks for positions of the corpus, one seat a slot."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.bounds) - 1)
        lengths = np.diff(self.bounds)[order]
        ends = np.cumsum(lengths)
        for number in range(start, len(self)):
            low = number * self.size
            high = min(low + self.size, int(ends[-1]))
            first = int(np.searchsorted(ends, low, side="right"))
            last = int(np.searchsorted(ends, high, side="left"))
            starts = self.bounds[order[first : last + 1]].copy()
            sizes = lengths[first : last + 1].copy()
            sizes[-1] -= ends[last] - high
            skipped = low - (int(ends[first]) - int(lengths[first]))
            starts[0] += skipped
            sizes[0] -= skipped
            positions = runs(starts, sizes)
            yield Ask(epoch * len(self) + number, np.arange(len(positions)), positions[None])
