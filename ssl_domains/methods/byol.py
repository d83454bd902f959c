"""BYOL: a predictor of the momentum copy's embedding of the other view, or of any positive of a rule; no negatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Norm, projection_head
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.losses.byol import byol_loss
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.view_plan import ViewPlan
from ssl_domains.methods.memory.momentum import follow, momentum_copy, momentum_to_one
from ssl_domains.methods.rows.unit_length import unit_length

__all__ = ["BYOL", "BYOLOptions"]


class BYOLOptions(MethodOptions):
    """Options of BYOL."""

    momentum: float = Field(default=0.99, ge=0, le=1, description="momentum of the copy; it rises to 1 during the run")
    predictor: int = Field(default=512, ge=1, description="width of the predictor's hidden layer")
    norm: Norm = Field(
        default="batch", description="norm in head and predictor: batch (paper); layer or none for gradient caching"
    )


class BYOL(Method):
    """BYOL (Grill et al. 2020): each row predicts the momentum copy's embeddings of its positives.

    Without a rule the only positive of a row is the other view of its slot, as in the paper.

    Args:
        encoder: The encoder to train.
        head: Maps pooled features ``[M, F]`` to ``[M, d]``.
        predictor: Maps ``[M, d]`` to ``[M, d]``.
        momentum: Momentum of the copy at the start.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=2, exact=True)
    options: ClassVar[type[BaseModel]] = BYOLOptions

    def __init__(self, encoder: Encoder, head: nn.Module, predictor: nn.Module, momentum: float) -> None:
        super().__init__()
        self.encoder, self.head, self.predictor = encoder, head, predictor
        self.slow_encoder, self.slow_head = momentum_copy(encoder), momentum_copy(head)
        self.momentum = momentum

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        norm, out, layers = options["norm"], options["out"], options["layers"]
        head = projection_head(encoder.num_features, options["hidden"], out, layers, norm)
        width = out if layers else encoder.num_features
        predictor = projection_head(width, options["predictor"], width, 2, norm)
        return cls(encoder, head, predictor, options["momentum"])

    def embed(self, views: Views) -> Embeddings:
        """Predictions of both views, of length 1."""
        rows = views.together
        pooled = self.encoder(rows.values, rows.valid).pooled
        return Embeddings(unit_length(self.predictor(self.head(pooled))), pooled.detach()[: views.samples])

    def target(self, views: Views) -> Mapping[str, Tensor]:
        """The momentum copy's embeddings of both views, of length 1."""
        rows = views.together
        return {"slow": unit_length(self.slow_head(self.slow_encoder(rows.values, rows.valid).pooled))}

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """2 − 2 cos of predictions and targets of positives, see `byol_loss`."""
        if pairs.names == ("none",) and pairs.anchors is None:
            each = 2 - 2 * (out.z * out.targets["slow"].roll(len(out.z) // 2, dims=0)).sum(dim=1)
            count = out.total(torch.tensor([len(each)], device=each.device))
            loss = each.sum() / count[0]
            return LossOutput(loss, loss.detach()[None], each.new_ones(1), count)
        anchors = out.z if pairs.anchors is None else out.z[pairs.anchors]
        return byol_loss(anchors, pairs(), candidates=out.whole("slow"), total=out.total)

    def after_step(self, out: Embeddings, progress: float) -> None:
        """Move the momentum copy; the momentum rises to 1 during the run."""
        momentum = momentum_to_one(self.momentum, progress)
        follow((self.slow_encoder, self.slow_head), (self.encoder, self.head), momentum)
