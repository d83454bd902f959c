"""The margin loss: a learned boundary of distances, positives on one side of it and negatives on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.operands import Total, global_total, operands
from ssl_domains.losses.triplets.mined import TripletSums
from ssl_domains.losses.triplets.mined_strips import Miner

if TYPE_CHECKING:
    from ssl_domains.pairs import CollapsedTile, PairBatch, Triplets

__all__ = ["margin_loss"]


def margin_loss(
    z: Tensor,
    pairs: PairBatch,
    miner: Miner,
    *,
    beta: float | Tensor = 1.2,
    margin: float = 0.2,
    candidates: Tensor | None = None,
    total: Total = None,
) -> LossOutput:
    """Mean cost of the pairs of mined triplets on the wrong side of a boundary β of distances.

    With the Euclidean distance d, the margin α and the weight w_ip of a positive, over triplets (i, p, n)::

        L = Σ [ w_ip max(0, α + d_ip − β) + max(0, α + β − d_in) ] / (number of terms above 0)

    A triplet only brings a positive and a negative pair together; the two distances are not compared with each other,
    and no positive serves as a negative.
    Without triplets the loss is exactly 0. It runs in float32 (float64 for float64 input) even inside autocast, strip
    by strip.

    Args:
        z: ``[M, d]`` embeddings of the anchors, of length 1.
        pairs: Which candidates are positive, negative or ignored, all relations taken together.
        miner: Chooses the triplets, see `ssl_domains.miners`; the paper's is `distance_weighted`. One that keeps every
            negative, as `batch_all` does, counts each positive once for each of the anchor's negatives.
        beta: β, the boundary. A tensor that requires a gradient gets it.
        margin: α ≥ 0, from the boundary to where a pair costs nothing.
        candidates: ``[N, d]``, in the order of ``pairs.candidates``; needed unless they are the anchors. May require a
            gradient.
        total: For anchors that are a part of a larger batch: from counts of them to those of the whole batch.

    Returns:
        The loss; counts of ``triplets``, of ``active`` terms above 0, and of anchors without a positive and without a
        negative.

    Raises:
        UsageError: When the shapes don't fit the pairs.

    References:
        Wu et al. 2017, *Sampling Matters in Deep Embedding Learning*.
    """
    with without_autocast(z.device):
        queries, keys, pairs = operands(z, pairs, candidates)
        boundary = torch.as_tensor(beta, dtype=queries.dtype, device=z.device).reshape(())
        sums = TripletSums(pairs, miner, _Costs(margin), graded=False)
        value = sums.sum(queries, keys, boundary)
        counts = sums.counts(z.device)
        return LossOutput.collapsed(value / global_total(counts["active"], total), pairs, counts)


@dataclass(frozen=True)
class _Costs:
    """See `ssl_domains.losses.triplets.triplet_costs.TripletCosts`; the learned tensor is β."""

    margin: float

    def of(self, positive: Tensor, negative: Tensor, weight: Tensor, *learned: Tensor) -> tuple[Tensor, Tensor]:
        attracted, repelled = self._of_pairs(positive, negative, learned[0])
        above = (attracted.detach() > 0).sum() + (repelled.detach() > 0).sum()
        return (weight.to(attracted.dtype) * attracted + repelled).sum(), above

    def of_all(
        self, distance: Tensor, tile: CollapsedTile, chosen: Triplets, *learned: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        attracted, repelled = self._of_pairs(distance, distance, learned[0])
        positive = torch.zeros_like(tile.positive)
        positive[chosen.anchor, chosen.positive] = True
        # The number of triplets of an anchor that each of its positives and negatives is in.
        positives, negatives = positive.sum(1, keepdim=True), tile.negative.sum(1, keepdim=True)
        times_positive, times_negative = positive * negatives, tile.negative * positives
        above = (times_positive * (attracted.detach() > 0)).sum() + (times_negative * (repelled.detach() > 0)).sum()
        weighted = (times_positive * tile.weight).to(distance.dtype) * attracted
        return (weighted + times_negative * repelled).sum(), (positives * negatives).sum(), above

    def _of_pairs(self, positive: Tensor, negative: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
        return (self.margin + positive - beta).clamp(min=0), (self.margin + beta - negative).clamp(min=0)
