"""The mean cost of positive pairs plus the mean cost of negative pairs; the form of losses over single pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.parts.accumulator import accumulator
from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.operands import Total, global_total, operands
from ssl_domains.losses.parts.part_sums import part_sums, strips

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["pair_means"]

Costs = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From anchors ``[I, d]`` and candidates ``[N, d]`` to the cost of each pair as a positive and as a negative one."""


def pair_means(z: Tensor, pairs: PairBatch, costs: Costs, candidates: Tensor | None, total: Total) -> LossOutput:
    """The two means of a loss over pairs, without a matrix of all pairs in memory.

    L = Σ_positive w_ij·a_ij / Σ_positive w_ij + mean_negative b_ij, for the costs a and b of a pair. The two kinds have
    a mean each, because a batch has many more negative than positive pairs.

    Args:
        z: ``[M, d]`` anchors.
        pairs: The pairs.
        costs: Gives ``a`` and ``b`` of a strip, ``[I, N]`` each.
        candidates: ``[N, d]``; None when they are the anchors.
        total: From sums over these anchors to those of the whole batch.

    Returns:
        The loss; the counts are the pairs of each kind, and ``active_negatives`` those whose cost is above 0.
    """
    with without_autocast(z.device):
        queries, keys, pairs = operands(z, pairs, candidates)
        weights = torch.zeros((), dtype=accumulator(z.device), device=z.device)
        counts = torch.zeros(3, dtype=torch.int64, device=z.device)

        def parts(queries: Tensor, keys: Tensor) -> Iterator[Tensor]:
            for i in strips(len(queries), len(keys)):
                tile = pairs.collapsed(i, slice(0, len(keys)))
                positive, negative = costs(queries[i], keys)
                weight = tile.weight.to(positive.dtype)
                negative = torch.where(tile.negative, negative, 0)
                weights.add_(tile.weight.sum())
                counts.add_(torch.stack([tile.positive.sum(), tile.negative.sum(), (negative > 0).sum()]))
                yield torch.stack([(weight * positive).sum(), negative.sum()])

        sums = part_sums(parts, [queries, keys], number=2)
        divisors = global_total(torch.stack([weights, counts[1].to(weights.dtype)]), total)
        names = ("positive_pairs", "negative_pairs", "active_negatives")
        loss = (sums / divisors.to(sums.dtype)).sum()
        return LossOutput.collapsed(loss, pairs, dict(zip(names, counts.unbind(), strict=True)))
