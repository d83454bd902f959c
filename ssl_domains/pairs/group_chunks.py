"""Cutting groups of samples into chunks of K, epoch by epoch, for any number of rows without a Python loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["GroupChunks"]

Ints = NDArray[np.int64]


class GroupChunks:
    """The groups of a code, and chunks of ``per_group`` members of each.

    A group's members are shuffled and cut; its last chunk is filled up with its first members, so no chunk of a group
    of at least K holds a sample twice. Rows that belong to nobody (a missing key, a group of one) form chunks together.
    Chunks of one group are spread evenly over the epoch, so that a batch meets as many groups as the data allow.

    Args:
        codes: int64 ``[n]``, −1 missing.
        per_group: K.
        exponent: 1: every sample once an epoch. Below: as many chunks an epoch, shared among the groups in proportion
            to ``size ** exponent``; large groups are then not seen whole, small ones several times.
    """

    def __init__(self, codes: Ints, per_group: int, exponent: float) -> None:
        self.per_group = per_group
        sizes = np.bincount(codes[codes >= 0], minlength=1)
        together = sizes > 1
        rank = np.where(together, np.cumsum(together), 0)
        self.group: Ints = np.where(codes < 0, 0, rank[codes]).astype(np.int64)  # 0 is who stands alone
        self.sizes: Ints = np.concatenate([[len(codes) - sizes[together].sum()], sizes[together]]).astype(np.int64)
        self.starts: Ints = np.cumsum(self.sizes) - self.sizes
        self.whole: Ints = -(-self.sizes // per_group)
        weight = self.sizes.astype(np.float64) ** exponent
        weight[0] = self.sizes[0]  # each of them is a group of one
        self.expected = None if exponent == 1 else weight / weight.sum() * self.whole.sum()

    @property
    def slots(self) -> int:
        """Slots of an epoch."""
        return int(self.whole.sum()) * self.per_group

    def chunks(self, rng: np.random.Generator) -> Ints:
        """The chunks of one epoch, shuffled: positions ``[chunks, per_group]``."""
        order = self._shuffled(rng)
        counts = self.whole if self.expected is None else _rounded(self.expected, rng)
        group = np.repeat(np.arange(len(counts)), counts)
        number = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
        member = number[:, None] * self.per_group + np.arange(self.per_group)
        chunks = order[self.starts[group, None] + member % self.sizes[group, None]]
        offset = rng.random(len(counts))
        when = (number + offset[group]) / counts[group]  # in [0, 1)
        free = 62 - len(group).bit_length()
        return chunks[_argsort((when * 2.0**free).astype(np.int64))]

    def _shuffled(self, rng: np.random.Generator) -> Ints:
        """All positions, group after group, each group in a random order."""
        free = 62 - len(self.group).bit_length() - len(self.sizes).bit_length()
        return _argsort((self.group << free) | rng.integers(0, 1 << free, len(self.group)))


def _rounded(expected: NDArray[np.float64], rng: np.random.Generator) -> Ints:
    """Whole numbers with these expectations and their sum (systematic sampling)."""
    ends = np.cumsum(expected)
    ends[-1] = np.round(ends[-1])
    counts: Ints = np.diff(np.floor(ends + rng.random()), prepend=0).astype(np.int64)
    return counts


def _argsort(keys: Ints) -> Ints:
    """Stable argsort of small non-negative keys; the index rides in the low bits, as sorting values is much faster.

    No two values are equal then, so the order doesn't depend on which sorting code a processor gets.
    """
    bits = len(keys).bit_length()
    packed = np.sort((keys << bits) | np.arange(len(keys)))
    return packed & ((1 << bits) - 1)
