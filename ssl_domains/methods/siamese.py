"""Siamese network: one encoder for both rows of a pair, and a loss of single pairs.

Bromley et al. 1993, Signature Verification using a "Siamese" Time Delay Neural Network, trained the cosine of a pair.
Chopra, Hadsell & LeCun 2005, Learning a Similarity Metric Discriminatively, and Hadsell et al. 2006, Dimensionality
Reduction by Learning an Invariant Mapping, train its distance with a margin.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import BaseModel, Field, model_validator

from ssl_domains.losses import LossOutput, cosine_pair, pair_margin
from ssl_domains.methods.bases.pair_method import PairMethod
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs

__all__ = ["Siamese", "SiameseOptions"]


class SiameseOptions(MethodOptions):
    """Options of the Siamese network."""

    loss: Literal["pair_margin", "cosine"] = Field(
        default="pair_margin", description="cost of a pair: by its distance, or by its cosine"
    )
    margin: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="where a negative pair costs nothing: a distance above 0 up to 2 (1 if not set), or with "
        "loss = cosine a cosine from -1 to below 1 (0 if not set)",
    )

    @model_validator(mode="after")
    def _margin_in_range(self) -> Self:
        if self.margin is None:
            return self
        if self.loss == "cosine" and not -1 <= self.margin < 1:
            raise ValueError(f"margin = {self.margin:g} is no cosine from -1 to below 1")
        if self.loss == "pair_margin" and not 0 < self.margin <= 2:
            raise ValueError(f"margin = {self.margin:g} is no distance above 0 up to 2, on the unit sphere")
        return self


class Siamese(PairMethod):
    """Encoder, projection head, normalisation to length 1, and the loss of all pairs of the batch."""

    options: ClassVar[type[BaseModel]] = SiameseOptions

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """See `pair_margin` and `cosine_pair`."""
        z, candidates = self.operands(out, pairs)
        margin = self.settings.margin
        if self.settings.loss == "cosine":
            return cosine_pair(
                z, pairs(), margin=0.0 if margin is None else margin, candidates=candidates, total=out.total
            )
        return pair_margin(z, pairs(), margin=1.0 if margin is None else margin, candidates=candidates, total=out.total)
