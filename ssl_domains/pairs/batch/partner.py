"""Drawing one positive row for each row of a batch, for losses without negatives such as BYOL's."""

from __future__ import annotations

from collections.abc import Sized
from typing import Protocol

import torch
from torch import Tensor

__all__ = ["draw_partners"]

_SWEEP = 1024  # rows and columns of a tile


class _Tile(Protocol):
    @property
    def matches(self) -> Tensor: ...


class _Pairs(Protocol):
    """What is read of a `PairBatch`; see its attributes."""

    @property
    def anchors(self) -> Sized: ...
    @property
    def candidates(self) -> Sized: ...
    @property
    def codes(self) -> Tensor: ...
    @property
    def candidate_codes(self) -> Tensor: ...
    @property
    def by_codes(self) -> tuple[bool, ...]: ...
    @property
    def self_index(self) -> Tensor: ...
    def tile(self, i: slice, j: slice) -> _Tile: ...


def draw_partners(batch: _Pairs, generator: torch.Generator | None = None) -> Tensor:
    """See `PairBatch.partner`.

    A single relation by codes costs O((M + N) log N); anything else costs one sweep of the tiles.
    """
    if batch.by_codes == (True,):
        return _by_codes(batch, generator)
    device = batch.codes.device
    m, n = len(batch.anchors), len(batch.candidates)
    partner = torch.full((m,), -1, dtype=torch.int64, device=device)
    for top in range(0, m, _SWEEP):
        i = slice(top, min(top + _SWEEP, m))
        total = torch.zeros(i.stop - i.start, dtype=torch.int64, device=device)
        for left in range(0, n, _SWEEP):
            j = slice(left, min(left + _SWEEP, n))
            positive = batch.tile(i, j).matches.any(dim=0)
            upto = positive.cumsum(dim=1)
            total += upto[:, -1]
            # Reservoir sampling: each of this tile's positives is taken with probability 1 / (positives so far).
            place = _below(total, generator)
            taken = (place < upto[:, -1]).nonzero().squeeze(1)
            column = torch.searchsorted(upto[taken], place[taken, None], right=True).squeeze(1)
            partner[top + taken] = left + column
    return partner


def _by_codes(batch: _Pairs, generator: torch.Generator | None) -> Tensor:
    codes, candidate_codes = batch.codes[:, 0].contiguous(), batch.candidate_codes[:, 0].contiguous()
    if not len(candidate_codes):
        return torch.full_like(codes, -1)
    ordered, order = candidate_codes.sort(stable=True)
    first = torch.searchsorted(ordered, codes)
    last = torch.searchsorted(ordered, codes, right=True)
    itself = batch.self_index >= 0
    positives = last - first - itself.long()
    drawn = order[(first + _below(positives, generator)).clamp_(max=len(order) - 1)]
    # The last place of the run was left out. If the draw is the anchor itself, take that place instead: the choice
    # stays uniform.
    drawn = torch.where(itself & (drawn == batch.self_index), order[(last - 1).clamp_(min=0)], drawn)
    return torch.where(positives > 0, drawn, -1)


def _below(bounds: Tensor, generator: torch.Generator | None) -> Tensor:
    """A random whole number in ``[0, bound)`` for each bound; 0 where the bound is 0."""
    device = bounds.device if generator is None else generator.device
    drawn = torch.rand(bounds.shape, generator=generator, dtype=torch.float64, device=device).to(bounds.device)
    return torch.minimum((drawn * bounds).long(), (bounds - 1).clamp(min=0))
