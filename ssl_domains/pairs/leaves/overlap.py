"""Lists over rows: how many members anchors and candidates share, counted a tile at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import embedding_bag

from ssl_domains.pairs.binding import nodes as bound
from ssl_domains.pairs.binding.csr import runs

__all__ = ["ListRows", "Shared", "shared_lists"]

Ints = NDArray[np.int64]

_BLOCK = 2**22  # numbers of a multi-hot block: 16 MB


@dataclass(frozen=True, eq=False)
class ListRows:
    """The lists of M rows.

    Attributes:
        starts: int64 ``[M + 1]``.
        members: int64 ``[starts[-1]]``, ranks among the members that occur on both sides of the batch.
        sizes: int64 ``[M]``, members of the whole list, −1 where the list is missing.
    """

    starts: Tensor
    members: Tensor
    sizes: Tensor

    def of(self, part: slice) -> tuple[Tensor, Tensor]:
        """Member and row, counted from the slice's start, of every entry in a slice of the rows."""
        starts = self.starts[part.start : part.stop + 1]
        first, last = int(starts[0]), int(starts[-1])
        rows = torch.arange(len(starts) - 1, device=starts.device)
        return self.members[first:last], rows.repeat_interleave(starts.diff(), output_size=last - first)

    def to(self, device: torch.device | str) -> ListRows:
        """The lists on another device."""
        return ListRows(self.starts.to(device), self.members.to(device), self.sizes.to(device))


@dataclass(frozen=True, eq=False)
class Shared:
    """Lists that share at least so many members; with ``jaccard`` a match weighs shared members over all of both.

    Attributes:
        anchors: Lists of the anchors.
        candidates: Lists of the candidates.
        distinct: Members that occur on both sides.
        at_least: How many must be shared.
        jaccard: Whether matches are weighed.
    """

    anchors: ListRows
    candidates: ListRows
    distinct: int
    at_least: int
    jaccard: bool

    @property
    def graded(self) -> bool:
        """See `RowRule.graded`."""
        return self.jaccard

    def answer(self, asked: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        enough = self._counts(i, j).ge_(self.at_least).to(torch.bool)
        if asked:
            return enough
        known = self.anchors.sizes[i, None] >= 0, self.candidates.sizes[None, j] >= 0
        return enough.logical_not_().logical_and_(known[0]).logical_and_(known[1])

    def weights(self, i: slice, j: slice) -> Tensor:
        """See `RowRule.weights`."""
        if not self.jaccard:
            return self.answer(True, i, j).to(torch.float64)
        shared = self._counts(i, j)
        if self.at_least > 1:
            shared.mul_(shared.ge(self.at_least))
        # An empty list counts as one member here, which nothing shares: 0 of 1 is 0, where 0 of 0 is none.
        mine, theirs = self.anchors.sizes[i].clamp_min(1), self.candidates.sizes[j].clamp_min(1)
        union = (mine.to(torch.float64)[:, None] + theirs.to(torch.float64)[None, :]).sub_(shared)
        return torch.div(shared, union, out=union)

    def to(self, device: torch.device | str) -> Shared:
        """See `RowRule.to`."""
        anchors = self.anchors.to(device)
        candidates = anchors if self.candidates is self.anchors else self.candidates.to(device)
        return Shared(anchors, candidates, self.distinct, self.at_least, self.jaccard)

    def _counts(self, i: slice, j: slice) -> Tensor:
        """Shared members, float32 ``[I, J]``: whole numbers far below 2^24, so exact."""
        (mine, rows), (theirs, columns) = self.anchors.of(i), self.candidates.of(j)
        height, width = i.stop - i.start, j.stop - j.start
        # Only what occurs on both sides of this tile can be shared in it.
        met = torch.zeros(2, self.distinct, dtype=torch.bool, device=mine.device)
        met[0, mine] = met[1, theirs] = True
        both = met.all(dim=0)
        rank = both.cumsum(0).sub_(1).masked_fill_(~both, -1)
        mine, theirs = rank[mine], rank[theirs]
        block = max(1, _BLOCK // max(width, 1))
        total = int(both.sum())
        counts: Tensor | None = None
        for start in range(0, total, block):
            here, there = _within(mine, start, block), _within(theirs, start, block)
            multi_hot = torch.zeros(min(block, total - start), width, device=mine.device)
            multi_hot[theirs[there] - start, columns[there]] = 1
            # Each anchor sums the rows of its members: as many additions as it has members, dense or rare alike.
            offsets = torch.searchsorted(rows[here], torch.arange(height, device=mine.device))
            more = embedding_bag(mine[here] - start, multi_hot, offsets, mode="sum")
            counts = more if counts is None else counts.add_(more)
        return torch.zeros(height, width, device=mine.device) if counts is None else counts


def shared_lists(node: bound.Overlap, anchors: Ints, candidates: Ints | None) -> Shared:
    """The lists of a batch.

    Args:
        node: The lists of the table.
        anchors: Samples ``[M]``.
        candidates: Samples ``[N]``, −1 for an unfilled slot; None for the anchors.
    """
    size_a, members_a = _gathered(node, anchors)
    if candidates is None:
        distinct, ranks = np.unique(members_a, return_inverse=True)
        rows = _list_rows(size_a, ranks)
        return Shared(rows, rows, len(distinct), node.at_least, node.jaccard)
    size_c, members_c = _gathered(node, candidates)
    met = np.intersect1d(members_a, members_c)
    sides = []
    for size, members in ((size_a, members_a), (size_c, members_c)):
        kept = np.isin(members, met)
        owner = np.repeat(np.arange(len(size)), np.maximum(size, 0))[kept]
        counts = np.bincount(owner, minlength=len(size))
        sides.append(_list_rows(size, np.searchsorted(met, members[kept]), counts))
    return Shared(sides[0], sides[1], len(met), node.at_least, node.jaccard)


def _gathered(node: bound.Overlap, samples: Ints) -> tuple[Ints, Ints]:
    """Size of each row's list, −1 where missing, and the members of all of them."""
    filled = samples >= 0
    position = samples[filled]
    sizes = np.full(len(samples), -1, dtype=np.int64)
    sizes[filled] = np.where(node.known[position], node.starts[position + 1] - node.starts[position], -1)
    first = np.zeros(len(samples), dtype=np.int64)
    first[filled] = node.starts[position]
    return sizes, node.members[runs(first, np.maximum(sizes, 0))]


def _list_rows(sizes: Ints, members: Ints, kept: Ints | None = None) -> ListRows:
    counts = np.maximum(sizes, 0) if kept is None else kept
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return ListRows(torch.from_numpy(starts), torch.from_numpy(members.reshape(-1)), torch.from_numpy(sizes))


def _within(ranks: Tensor, start: int, block: int) -> Tensor:
    return (ranks >= start).logical_and_(ranks < start + block)
