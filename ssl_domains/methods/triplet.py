"""Triplet loss: a positive should be nearer to its anchor than a negative, by a margin.

Weinberger et al. 2006, Distance Metric Learning for Large Margin Nearest Neighbor Classification; Wang et al. 2014,
Learning Fine-grained Image Similarity with Deep Ranking (graded); Hermans et al. 2017, In Defense of the Triplet Loss
(mining, soft margin).
"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import BaseModel, Field, model_validator

from ssl_domains.losses import LossOutput, triplet
from ssl_domains.methods.bases.mining import MinerName, MiningMethod
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs

__all__ = ["Triplet", "TripletOptions"]


class TripletOptions(MethodOptions):
    """Options of the triplet loss."""

    miner: MinerName = Field(default="batch_hard", description="which triplets of the batch the loss is the mean of")
    margin: float = Field(
        default=0.2, ge=0, le=4, allow_inf_nan=False, description="how much nearer a positive should be than a negative"
    )
    soft_margin: bool = Field(
        default=False, description="log(1 + exp(d_ip - d_in)) instead of a margin, which then isn't read"
    )
    squared: bool = Field(default=False, description="compare squared distances")
    graded: bool = Field(
        default=True, description="a positive with a smaller weight is a negative for one with a larger weight"
    )
    over: Literal["active", "all"] = Field(
        default="active", description="mean over the triplets whose loss is above 0, or over all mined triplets"
    )

    @model_validator(mode="after")
    def _distances_are_plain(self) -> Self:
        if self.squared and self.miner == "distance_weighted":
            raise ValueError("squared = true doesn't go with the miner distance_weighted, which reads plain distances")
        return self


class Triplet(MiningMethod):
    """Encoder, projection head, normalisation to length 1, and the loss of mined triplets."""

    options: ClassVar[type[BaseModel]] = TripletOptions

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """See `ssl_domains.losses.triplet`."""
        z, candidates = self.operands(out, pairs)
        chosen = self.settings
        margin = None if chosen.soft_margin else chosen.margin
        return triplet(
            z,
            pairs(),
            self.miner(chosen.miner, margin, z.shape[1]),
            margin=margin,
            squared=chosen.squared,
            graded=chosen.graded,
            over=chosen.over,
            candidates=candidates,
            total=out.total,
        )
