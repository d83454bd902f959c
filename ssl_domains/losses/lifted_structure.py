"""The lifted structured loss: each positive pair against all negatives of both of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ssl_domains.errors import UsageError
from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.parts.accumulator import accumulator
from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.distances import distances
from ssl_domains.losses.parts.operands import operands
from ssl_domains.losses.parts.part_sums import part_sums, strips

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["lifted_structure"]

_LOWEST = -1e30  # instead of −∞, whose gradient would be NaN where a row has no negative


def lifted_structure(z: Tensor, pairs: PairBatch, *, margin: float = 1.0) -> LossOutput:
    """The smooth upper bound of the lifted structured loss, over all positive pairs of a batch.

    With the Euclidean distance d_ij, the weight w_ij of a positive pair, the negatives N(i) of a row and the margin m::

        J_ij = log( Σ_{k∈N(i)} exp(m − d_ik) + Σ_{l∈N(j)} exp(m − d_jl) ) + d_ij
        L = Σ_positive w_ij max(0, J_ij)² / (2 Σ_positive w_ij)

    Each positive pair reads the negatives of both of its rows, so the rows must be the whole batch: with several
    processes, gather them first. A pair whose rows have no negative costs nothing; without positive pairs the loss is
    exactly 0. The loss runs in float32 (float64 for float64 input) even inside autocast, strip by strip.

    Args:
        z: ``[N, d]`` embeddings of all rows of the batch, of any length.
        pairs: Which rows are positive, negative or ignored for each other, all relations taken together.
        margin: m.

    Returns:
        The loss; counts of positive pairs, and of those whose J is above 0.

    Raises:
        UsageError: When the shapes don't fit the pairs, or the candidates are not the anchors.

    References:
        Song et al. 2016, *Deep Metric Learning via Lifted Structured Feature Embedding*.
    """
    if not pairs.square:
        raise UsageError("lifted_structure reads the negatives of both rows of a pair", "give the pairs of a batch")
    with without_autocast(z.device):
        z, _, pairs = operands(z, pairs, None)
        everything = slice(0, len(z))
        weights = torch.zeros((), dtype=accumulator(z.device), device=z.device)
        counts = torch.zeros(2, dtype=torch.int64, device=z.device)

        def negatives(rows: Tensor, z: Tensor, i: slice) -> Tensor:
            """log Σ_{k∈N(i)} exp(m − d_ik) of the rows of a strip."""
            logits = margin - distances(rows, z)
            return logits.masked_fill(~pairs.collapsed(i, everything).negative, _LOWEST).logsumexp(dim=1)

        # Computed again in backward, as the gradient by it is known only after the second sweep.
        lse = [
            checkpoint(negatives, z[i], z, i, use_reentrant=False, preserve_rng_state=False)
            for i in strips(len(z), len(z))
        ]

        def parts(z: Tensor, lse: Tensor) -> Iterator[Tensor]:
            for i in strips(len(z), len(z)):
                tile = pairs.collapsed(i, everything)
                j = torch.logaddexp(lse[i, None], lse[None]) + distances(z[i], z)
                cost = torch.where(tile.positive, j.clamp(min=0).square(), 0)
                weights.add_(tile.weight.sum())
                counts.add_(torch.stack([tile.positive.sum(), (cost > 0).sum()]))
                yield (tile.weight.to(cost.dtype) * cost).sum()[None]

        sums = part_sums(parts, [z, torch.cat(lse) if lse else z.new_zeros(0)])
        loss = sums[0] / (2 * torch.where(weights > 0, weights, 1)).to(z.dtype)
        names = ("positive_pairs", "active_pairs")
        return LossOutput.collapsed(loss, pairs, dict(zip(names, counts.unbind(), strict=True)))
