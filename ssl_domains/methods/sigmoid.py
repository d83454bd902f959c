"""Pairwise sigmoid loss (SigLIP): each pair is classified as positive or negative by itself.

Zhai et al. 2023, Sigmoid Loss for Language Image Pre-Training.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.losses import LossOutput, pairwise_sigmoid
from ssl_domains.methods.bases.pair_method import PairMethod
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs

__all__ = ["Sigmoid", "SigmoidOptions"]

_LARGEST = math.log(100.0)  # τ ≥ 0.01, as in SimCLR


class SigmoidOptions(MethodOptions):
    """Options of the pairwise sigmoid loss."""

    temperature: float = Field(
        default=0.1, ge=0.01, allow_inf_nan=False, description="temperature τ at the start; it is learned"
    )
    bias: float = Field(
        default=-10.0, allow_inf_nan=False, description="bias b of the logits at the start; it is learned"
    )


class Sigmoid(PairMethod):
    """Encoder, projection head, normalisation to length 1, and the pairwise sigmoid loss; τ and b are learned."""

    options: ClassVar[type[BaseModel]] = SigmoidOptions

    def __init__(self, encoder: Encoder, head: nn.Module, settings: MethodOptions) -> None:
        super().__init__(encoder, head, settings)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(self.settings.temperature)))
        self.bias = nn.Parameter(torch.tensor(float(self.settings.bias)))

    def learned(self) -> dict[str, Tensor]:
        """The scale 1/τ and the bias."""
        return {"scale": self.log_scale.clamp(max=_LARGEST).exp(), "bias": self.bias.clone()}

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """See `pairwise_sigmoid`."""
        z, candidates = self.operands(out, pairs)
        scale, bias = out.shared["scale"], out.shared["bias"]
        return pairwise_sigmoid(z, pairs(), scale=scale, bias=bias, candidates=candidates, total=out.total)

    @property
    def temperature(self) -> float:
        """The current temperature τ."""
        return math.exp(-min(float(self.log_scale.detach()), _LARGEST))
