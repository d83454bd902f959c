"""Margin loss: a learned boundary of distances, with negatives that are sampled evenly over all distances.

Wu et al. 2017, Sampling Matters in Deep Embedding Learning.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.losses import LossOutput, margin_loss
from ssl_domains.methods.bases.mining import MinerName, MiningMethod
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs

__all__ = ["Margin", "MarginOptions"]


class MarginOptions(MethodOptions):
    """Options of the margin loss."""

    miner: MinerName = Field(default="distance_weighted", description="which triplets of the batch bring the pairs")
    margin: float = Field(
        default=0.2, ge=0, le=2, allow_inf_nan=False, description="how far from β a pair costs nothing"
    )
    beta: float = Field(
        default=1.2, gt=0, le=2, allow_inf_nan=False, description="boundary β of distances at the start"
    )
    learn_beta: bool = Field(default=True, description="learn β; otherwise it stays as it is")


class Margin(MiningMethod):
    """Encoder, projection head, normalisation to length 1, and the margin loss; β is one number for all data."""

    options: ClassVar[type[BaseModel]] = MarginOptions

    def __init__(self, encoder: Encoder, head: nn.Module, settings: MethodOptions) -> None:
        super().__init__(encoder, head, settings)
        self.beta = nn.Parameter(torch.tensor(self.settings.beta)) if self.settings.learn_beta else None

    def learned(self) -> dict[str, Tensor]:
        """β, if it is learned."""
        return {} if self.beta is None else {"beta": self.beta.clone()}

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """See `margin_loss`."""
        z, candidates = self.operands(out, pairs)
        miner = self.miner(self.settings.miner, self.settings.margin, z.shape[1])
        beta = out.shared.get("beta", self.settings.beta)
        return margin_loss(
            z, pairs(), miner, beta=beta, margin=self.settings.margin, candidates=candidates, total=out.total
        )
