"""VICReg: two views are close, each feature varies over the batch, and no two features vary together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from pydantic import BaseModel, Field
from torch import nn

from ssl_domains.encoders import Encoder, Norm, projection_head
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.losses.vicreg import vicreg_loss
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan

__all__ = ["VICReg", "VICRegOptions"]


class VICRegOptions(MethodOptions):
    """Options of VICReg."""

    invariance: float = Field(
        default=25.0, ge=0, allow_inf_nan=False, description="weight λ of the distance of the views"
    )
    variance: float = Field(
        default=25.0, ge=0, allow_inf_nan=False, description="weight μ of what standard deviations lack to 1"
    )
    covariance: float = Field(
        default=1.0, ge=0, allow_inf_nan=False, description="weight ν of the covariances of different features"
    )
    norm: Norm = Field(
        default="batch", description="norm in the head: batch (paper); layer or none for gradient caching"
    )


class VICReg(Method):
    """VICReg (Bardes, Ponce, LeCun 2022). Its statistics are those of the whole batch of all processes.

    Args:
        encoder: The encoder to train.
        head: Maps pooled features ``[M, F]`` to ``[M, d]``; the paper's is wide, 8,192.
        invariance: Weight λ of the distance of the views.
        variance: Weight μ of the variance term.
        covariance: Weight ν of the covariance term.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=2, exact=True, pairs=False, unit_z=False)
    options: ClassVar[type[BaseModel]] = VICRegOptions

    def __init__(
        self, encoder: Encoder, head: nn.Module, invariance: float, variance: float, covariance: float
    ) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head
        self.weights = invariance, variance, covariance

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        head = projection_head(
            encoder.num_features, options["hidden"], options["out"], options["layers"], options["norm"]
        )
        return cls(encoder, head, options["invariance"], options["variance"], options["covariance"])

    def embed(self, views: Views) -> Embeddings:
        """Projections of both views, not normalised."""
        rows = views.together
        pooled = self.encoder(rows.values, rows.valid).pooled
        z = self.head(pooled)
        return Embeddings(z.to(torch.promote_types(z.dtype, torch.float32)), pooled.detach()[: views.samples])

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The loss of the whole batch, see `vicreg_loss`."""
        one, two = out.whole().chunk(2)
        return LossOutput.plain(out.of_all(vicreg_loss(one, two, *self.weights)))
