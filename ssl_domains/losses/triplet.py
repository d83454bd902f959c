"""The triplet loss: a positive should be nearer to its anchor than a negative, by a margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch.nn.functional as F
from torch import Tensor

from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.operands import Total, global_total, operands
from ssl_domains.losses.triplets.every_triplet import every_triplet
from ssl_domains.losses.triplets.mined import TripletSums
from ssl_domains.losses.triplets.mined_strips import Miner

if TYPE_CHECKING:
    from ssl_domains.pairs import CollapsedTile, PairBatch, Triplets

__all__ = ["triplet"]


def triplet(
    z: Tensor,
    pairs: PairBatch,
    miner: Miner,
    *,
    margin: float | None = 0.2,
    squared: bool = False,
    graded: bool = True,
    over: Literal["active", "all"] = "active",
    candidates: Tensor | None = None,
    total: Total = None,
) -> LossOutput:
    """Mean loss of the triplets that a miner chooses.

    A triplet (i, p, n) is an anchor, one of its positives, and a candidate that is less relevant: a negative, or with
    ``graded`` also a positive whose weight is smaller, w_in < w_ip (Wang 2014; weights that differ by less than a
    millionth are equal). With the Euclidean distance d and the margin m::

        L = mean max(0, m + d_ip − d_in)          L = mean log(1 + exp(d_ip − d_in))   (soft margin)

    The mean is over the triplets whose loss is above 0 (with a soft margin, all), or over all that were chosen. Where
    the objective has one ungraded relation, all weights are equal, and ``graded`` changes nothing. Without triplets the
    loss is exactly 0. It runs in float32 (float64 for float64 input) even inside autocast, strip by strip.

    Args:
        z: ``[M, d]`` embeddings of the anchors, of any length.
        pairs: Which candidates are positive, negative or ignored, all relations taken together.
        miner: Chooses the triplets, see `ssl_domains.miners`.
        margin: m ≥ 0; None for the soft margin.
        squared: Take squared distances, as Weinberger 2006 and Wang 2014 do.
        graded: Whether a positive with a smaller weight serves as the negative of one with a larger weight.
        over: What the mean is over: triplets whose loss is above 0, or all that were chosen.
        candidates: ``[N, d]``, in the order of ``pairs.candidates``; needed unless they are the anchors. May require a
            gradient.
        total: For anchors that are a part of a larger batch: from counts of them to those of the whole batch.

    Returns:
        The loss; counts of ``triplets``, of ``active`` ones, whose loss is above 0, and of anchors without a positive
        and without a negative.

    Raises:
        UsageError: When the shapes don't fit the pairs.

    References:
        Weinberger, Blitzer & Saul 2006, *Distance Metric Learning for Large Margin Nearest Neighbor Classification*;
        Wang et al. 2014, *Learning Fine-grained Image Similarity with Deep Ranking*; Hermans, Beyer & Leibe 2017, *In
        Defense of the Triplet Loss for Person Re-Identification* (soft margin, mean over active triplets).
    """

    with without_autocast(z.device):
        queries, keys, pairs = operands(z, pairs, candidates)
        sums = TripletSums(pairs, miner, _Costs(margin), squared, graded)
        value = sums.sum(queries, keys)
        counts = sums.counts(z.device)
        number = global_total(counts["active" if over == "active" else "triplets"], total)
        return LossOutput.collapsed(value / number, pairs, counts)


@dataclass(frozen=True)
class _Costs:
    """See `ssl_domains.losses.triplets.triplet_costs.TripletCosts`."""

    margin: float | None

    def of(self, positive: Tensor, negative: Tensor, weight: Tensor, *_: Tensor) -> tuple[Tensor, Tensor]:
        gap = positive - negative
        each = F.softplus(gap, threshold=40) if self.margin is None else (gap + self.margin).clamp(min=0)
        return each.sum(), (each.detach() > 0).sum()

    def of_all(
        self, distance: Tensor, tile: CollapsedTile, chosen: Triplets, *_: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        return every_triplet(distance, tile, chosen, self.margin)
