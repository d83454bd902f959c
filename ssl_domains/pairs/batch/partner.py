"""One positive row for each row of a batch: what BYOL and other losses without negatives pull towards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ssl_domains.pairs.batch.pair_batch import PairBatch

__all__ = ["draw_partners"]

_SWEEP = 1024  # rows and columns of a tile


def draw_partners(batch: PairBatch, generator: torch.Generator | None = None) -> Tensor:
    """See `PairBatch.partner`. One relation of codes costs O((M + N) log N), everything else one sweep of the tiles."""
    if batch.by_codes == (True,):
        return _by_codes(batch, generator)
    device = batch.codes.device
    m, n = len(batch.anchors), len(batch.candidates)
    partner = torch.full((m,), -1, dtype=torch.int64, device=device)
    for top in range(0, m, _SWEEP):
        i = slice(top, min(top + _SWEEP, m))
        met = torch.zeros(i.stop - i.start, dtype=torch.int64, device=device)
        for left in range(0, n, _SWEEP):
            j = slice(left, min(left + _SWEEP, n))
            positive = batch.tile(i, j).matches.any(dim=0)
            upto = positive.cumsum(dim=1)
            met += upto[:, -1]
            # A reservoir of one: this tile's c positives replace the earlier ones with probability c of all met.
            place = _below(met, generator)
            taken = (place < upto[:, -1]).nonzero().squeeze(1)
            column = torch.searchsorted(upto[taken], place[taken, None], right=True).squeeze(1)
            partner[top + taken] = left + column
    return partner


def _by_codes(batch: PairBatch, generator: torch.Generator | None) -> Tensor:
    codes, candidate_codes = batch.codes[:, 0].contiguous(), batch.candidate_codes[:, 0].contiguous()
    if not len(candidate_codes):
        return torch.full_like(codes, -1)
    ordered, order = candidate_codes.sort(stable=True)
    first = torch.searchsorted(ordered, codes)
    last = torch.searchsorted(ordered, codes, right=True)
    itself = batch.self_index >= 0
    having = last - first - itself.long()
    found = order[(first + _below(having, generator)).clamp_(max=len(order) - 1)]
    # The last place of its run was left out for the anchor; who meets itself takes it.
    found = torch.where(itself & (found == batch.self_index), order[(last - 1).clamp_(min=0)], found)
    return torch.where(having > 0, found, -1)


def _below(bounds: Tensor, generator: torch.Generator | None) -> Tensor:
    """A whole number in ``[0, bound)`` for each bound, 0 for 0."""
    device = bounds.device if generator is None else generator.device
    drawn = torch.rand(bounds.shape, generator=generator, dtype=torch.float64, device=device).to(bounds.device)
    return torch.minimum((drawn * bounds).long(), (bounds - 1).clamp(min=0))
