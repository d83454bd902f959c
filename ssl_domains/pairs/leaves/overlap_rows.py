"""`overlap` over the rows of a batch: members that anchors and candidates have in common, counted tile by tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import embedding_bag

from ssl_domains.pairs.batch.batch_values import ranks
from ssl_domains.pairs.binding.csr import runs
from ssl_domains.pairs.binding.lists import MemberLists

__all__ = ["ListRows", "SharedMembers", "shared_members"]

Ints = NDArray[np.int64]

_BLOCK = 2**22  # numbers of a multi-hot block: 16 MB
_FEW = 128  # distinct members up to which a product of multi-hot matrices is faster than a sum over members


@dataclass(frozen=True, eq=False)
class ListRows:
    """The lists of M rows.

    Attributes:
        starts: int64 ``[M + 1]``.
        members: int64 ``[starts[-1]]``, numbers of members, from 0.
        sizes: int64 ``[M]``, members of the whole list, −1 where the list is missing.
        multi_hot: float32 ``[M, distinct]``, 1 for each member of a row; None unless ``distinct`` is small.
    """

    starts: Tensor
    members: Tensor
    sizes: Tensor
    multi_hot: Tensor | None

    def of(self, part: slice) -> tuple[Tensor, Tensor]:
        """Member and row of every entry in a slice of the rows; rows count from the start of the slice."""
        starts = self.starts[part.start : part.stop + 1]
        first, last = int(starts[0]), int(starts[-1])
        rows = torch.arange(len(starts) - 1, device=starts.device)
        return self.members[first:last], rows.repeat_interleave(starts.diff(), output_size=last - first)

    def to(self, device: torch.device | str) -> ListRows:
        """The lists on another device."""
        multi_hot = None if self.multi_hot is None else self.multi_hot.to(device)
        return ListRows(self.starts.to(device), self.members.to(device), self.sizes.to(device), multi_hot)


@dataclass(frozen=True, eq=False)
class SharedMembers:
    """Lists with at least so many members in common.

    Attributes:
        anchors: Lists of the anchors.
        candidates: Lists of the candidates.
        distinct: Every member is below it.
        at_least: How many members two rows must have in common.
        jaccard: Whether a match weighs the members in both lists over the members in either.
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

    def answer(self, yes: bool, i: slice, j: slice) -> Tensor:
        """See `RowRule.answer`."""
        enough = self._counts(i, j).ge_(self.at_least).to(torch.bool)
        if yes:
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
        # An empty list counts as one member here, so that two empty lists give 0/2 instead of 0/0.
        first, second = self.anchors.sizes[i].clamp_min(1), self.candidates.sizes[j].clamp_min(1)
        union = (first.to(torch.float64)[:, None] + second.to(torch.float64)[None, :]).sub_(shared)
        return torch.div(shared, union, out=union)

    def to(self, device: torch.device | str) -> SharedMembers:
        """See `RowRule.to`."""
        anchors = self.anchors.to(device)
        candidates = anchors if self.candidates is self.anchors else self.candidates.to(device)
        return SharedMembers(anchors, candidates, self.distinct, self.at_least, self.jaccard)

    def _counts(self, i: slice, j: slice) -> Tensor:
        """Number of common members, float32 ``[I, J]``: whole numbers far below 2^24, so exact."""
        if self.anchors.multi_hot is not None and self.candidates.multi_hot is not None:
            some, others = self.anchors.multi_hot[i], self.candidates.multi_hot[j].T
            # Autocast leaves products alone that have an output of their own.
            return torch.mm(some, others, out=some.new_empty(some.shape[0], others.shape[1]))
        (first, rows), (second, columns) = self.anchors.of(i), self.candidates.of(j)
        height, width = i.stop - i.start, j.stop - j.start
        # Only members that occur in rows and in columns of this tile can be common in it.
        occurs = torch.zeros(2, self.distinct, dtype=torch.bool, device=first.device)
        occurs[0, first] = occurs[1, second] = True
        both = occurs.all(dim=0)
        rank = both.cumsum(0).sub_(1).masked_fill_(~both, -1)
        first, second = rank[first], rank[second]
        block = max(1, _BLOCK // max(width, 1))
        total = int(both.sum())
        counts: Tensor | None = None
        for start in range(0, total, block):
            here, there = _in_block(first, start, block), _in_block(second, start, block)
            multi_hot = torch.zeros(min(block, total - start), width, device=first.device)
            multi_hot[second[there] - start, columns[there]] = 1
            # Each anchor sums the rows of its members, so it costs one addition a member, whether rare or common.
            offsets = torch.searchsorted(rows[here], torch.arange(height, device=first.device))
            more = embedding_bag(first[here] - start, multi_hot, offsets, mode="sum")
            counts = more if counts is None else counts.add_(more)
        return torch.zeros(height, width, device=first.device) if counts is None else counts


def shared_members(
    lists: MemberLists, anchors: Ints, candidates: Ints | None, at_least: int, jaccard: bool
) -> SharedMembers:
    """The rule over the rows of a batch.

    Args:
        lists: The lists of the table.
        anchors: Samples ``[M]``.
        candidates: Samples ``[N]``, −1 for an unfilled slot; None for the anchors.
        at_least: See `SharedMembers`.
        jaccard: See `SharedMembers`.
    """
    if candidates is None:
        rows, distinct = _square(lists, anchors)
        return SharedMembers(rows, rows, distinct, at_least, jaccard)
    sizes_a, members_a = _lists_of(lists, anchors)
    sizes_c, members_c = _lists_of(lists, candidates)
    common = np.intersect1d(members_a, members_c)
    sides = []
    for sizes, members in ((sizes_a, members_a), (sizes_c, members_c)):
        kept = np.isin(members, common)
        owner = np.repeat(np.arange(len(sizes)), np.maximum(sizes, 0))[kept]
        counts = np.bincount(owner, minlength=len(sizes))
        sides.append(_list_rows(sizes, np.searchsorted(common, members[kept]), len(common), counts))
    return SharedMembers(sides[0], sides[1], len(common), at_least, jaccard)


def _square(lists: MemberLists, samples: Ints) -> tuple[ListRows, int]:
    """Lists of anchors that are the candidates too, and the number below which all of their members are."""
    first = lists.starts[samples]
    counts = lists.starts[samples + 1] - first  # 0 for a missing list
    ends = counts.cumsum()
    owner = np.arange(len(samples)).repeat(counts)
    members, distinct = lists.members[(first - (ends - counts))[owner] + np.arange(len(owner))], lists.distinct
    if distinct > _FEW:  # else members of the table are few enough to be columns without being ranked
        members = ranks(members)
        distinct = int(members.max(initial=-1)) + 1
    starts = np.zeros(len(samples) + 1, dtype=np.int64)
    starts[1:] = ends
    multi_hot = None
    if distinct <= _FEW and len(samples) * distinct <= _BLOCK:
        hot = np.zeros((len(samples), distinct), dtype=np.float32)
        hot[owner, members] = 1
        multi_hot = torch.from_numpy(hot)
    sizes = np.where(lists.known[samples], counts, -1)
    return ListRows(torch.from_numpy(starts), torch.from_numpy(members), torch.from_numpy(sizes), multi_hot), distinct


def _lists_of(lists: MemberLists, samples: Ints) -> tuple[Ints, Ints]:
    """Size of each row's list, −1 where missing, and the members of all of them."""
    filled = samples >= 0
    position = samples[filled]
    sizes = np.full(len(samples), -1, dtype=np.int64)
    sizes[filled] = np.where(lists.known[position], lists.starts[position + 1] - lists.starts[position], -1)
    first = np.zeros(len(samples), dtype=np.int64)
    first[filled] = lists.starts[position]
    return sizes, lists.members[runs(first, np.maximum(sizes, 0))]


def _list_rows(sizes: Ints, members: Ints, distinct: int, counts: Ints) -> ListRows:
    """The lists from the ranks of their members below ``distinct``, of which row k has ``counts[k]``."""
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    members, multi_hot = members.reshape(-1), None
    if distinct <= _FEW and len(sizes) * distinct <= _BLOCK:
        hot = np.zeros((len(sizes), distinct), dtype=np.float32)
        hot[np.repeat(np.arange(len(sizes)), counts), members] = 1
        multi_hot = torch.from_numpy(hot)
    return ListRows(torch.from_numpy(starts), torch.from_numpy(members), torch.from_numpy(sizes), multi_hot)


def _in_block(ranks: Tensor, start: int, block: int) -> Tensor:
    return (ranks >= start).logical_and_(ranks < start + block)
