"""SimSiam: a predictor of the other view's projection, which gets no gradient; no negatives, no momentum copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, Field
from torch import nn

from ssl_domains.encoders import Encoder, Norm, projection_head
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.losses.negative_cosine import negative_cosine
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan
from ssl_domains.methods.rows.unit_length import unit_length

__all__ = ["SimSiam", "SimSiamOptions"]


class SimSiamOptions(MethodOptions):
    """Options of SimSiam."""

    predictor: int = Field(default=64, ge=1, description="width of the predictor's hidden layer, a narrow one")
    norm: Norm = Field(
        default="batch",
        description="norm in head and predictor, and of the head's output: batch (paper); layer or none for gradient "
        "caching",
    )


class SimSiam(Method):
    """SimSiam (Chen & He 2021). What keeps it from collapsing is that targets get no gradient.

    Args:
        encoder: The encoder to train.
        head: Maps pooled features ``[M, F]`` to ``[M, d]``.
        predictor: Maps ``[M, d]`` to ``[M, d]``.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=2, exact=True, pairs=False)
    options: ClassVar[type[BaseModel]] = SimSiamOptions

    def __init__(self, encoder: Encoder, head: nn.Module, predictor: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head, self.predictor = encoder, head, predictor

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        norm, out, layers = options["norm"], options["out"], options["layers"]
        head = projection_head(encoder.num_features, options["hidden"], out, layers, norm, last_norm=True)
        width = out if layers else encoder.num_features
        return cls(encoder, head, projection_head(width, options["predictor"], width, 2, norm))

    def embed(self, views: Views) -> Embeddings:
        """Predictions of both views, of length 1, and the projections that they predict."""
        rows = views.together
        pooled = self.encoder(rows.values, rows.valid).pooled
        projected = self.head(pooled)
        more = {"projected": unit_length(projected.detach())}
        return Embeddings(unit_length(self.predictor(projected)), pooled.detach()[: views.samples], more)

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Negative cosine of each view's prediction and the other view's projection."""
        other_view = out.more["projected"].detach().roll(len(out.z) // 2, dims=0)
        return LossOutput.plain(negative_cosine(out.z, other_view, out.total))
