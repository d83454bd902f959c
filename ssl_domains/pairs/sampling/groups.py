"""Cutting groups of samples into chunks of K for each epoch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.sorting import positions_dtype, stable_order

__all__ = ["GroupChunks"]

Ints = NDArray[np.int64]


class GroupChunks:
    """The groups of a code, cut into chunks of ``per_group`` members.

    The members of a group are shuffled and cut. Its last chunk is filled up with its first members, so no chunk of a
    group of at least K members has a sample twice. Rows without a group (a missing key, a group of one) form chunks
    together. The chunks of one group are spread evenly over the epoch, so that a batch has as many groups as possible.

    Args:
        codes: int64 ``[n]``, −1 missing.
        per_group: K.
        exponent: With 1, every sample is in an epoch once. Below 1, an epoch has as many chunks, but each group's share
            of them is proportional to ``size ** exponent``: members of large groups are left out, members of small
            groups repeat.
    """

    def __init__(self, codes: Ints, per_group: int, exponent: float) -> None:
        self.per_group = per_group
        self.codes = codes  # shared with the rule, not copied
        dtype = positions_dtype(len(codes))
        sizes = np.bincount(codes[codes >= 0], minlength=1)
        together = sizes > 1
        alone = len(codes) - int(sizes[together].sum())
        self.rank = np.where(together, np.cumsum(together), 0).astype(dtype)  # of a code; 0 for rows without a group
        self.sizes = np.concatenate([[alone], sizes[together]]).astype(dtype)
        self.slots = int(self._whole.sum()) * per_group  # of an epoch
        self.expected: NDArray[np.float64] | None = None
        if exponent != 1:
            weight = self.sizes.astype(np.float64) ** exponent
            weight[0] = self.sizes[0]  # rows without a group count as groups of one
            self.expected = weight / weight.sum() * self._whole.sum()

    @property
    def nbytes(self) -> int:
        """Bytes that it keeps beside the codes."""
        expected = 0 if self.expected is None else self.expected.nbytes
        return self.rank.nbytes + self.sizes.nbytes + expected

    def chunks(self, rng: np.random.Generator) -> Ints:
        """The chunks of one epoch, shuffled: positions ``[chunks, per_group]``."""
        order = self._shuffled(rng)
        sizes = self.sizes.astype(np.int64)
        starts = np.cumsum(sizes) - sizes
        counts = self._whole if self.expected is None else _rounded(self.expected, rng)
        group = np.repeat(np.arange(len(counts)), counts)
        number = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
        member = number[:, None] * self.per_group + np.arange(self.per_group)
        chunks = order[starts[group, None] + member % sizes[group, None]]
        offset = rng.random(len(counts))
        moment = (number + offset[group]) / counts[group]  # in [0, 1)
        free = 62 - len(group).bit_length()
        return chunks[stable_order((moment * 2.0**free).astype(np.int64))]

    @property
    def _whole(self) -> Ints:
        """Chunks that hold all members of each group."""
        return -(-self.sizes.astype(np.int64) // self.per_group)

    def _shuffled(self, rng: np.random.Generator) -> Ints:
        """All positions, group after group, each group in a random order."""
        group = np.where(self.codes < 0, 0, self.rank[self.codes]).astype(np.int64)
        free = 62 - len(group).bit_length() - len(self.sizes).bit_length()
        return stable_order((group << free) | rng.integers(0, 1 << free, len(group)))


def _rounded(expected: NDArray[np.float64], rng: np.random.Generator) -> Ints:
    """Random whole numbers with these expectations and their sum, by systematic sampling."""
    ends = np.cumsum(expected)
    ends[-1] = np.round(ends[-1])
    counts: Ints = np.diff(np.floor(ends + rng.random()), prepend=0).astype(np.int64)
    return counts
