"""SimCLR, and with a rule also SupCon and other methods that differ from SimCLR only in their pairs.

Chen et al. 2020, A Simple Framework for Contrastive Learning of Visual Representations. With no relation it is NT-Xent;
with ``same(label)`` it is SupCon (Khosla et al. 2020, L_out).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, projection_head
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs

__all__ = ["SimCLR", "SimCLROptions"]

_SHARPEST = math.log(100.0)  # τ ≥ 0.01, the clamp of CLIP


class SimCLROptions(MethodOptions):
    """Options of SimCLR."""

    temperature: float = Field(default=0.1, gt=0, allow_inf_nan=False, description="temperature τ of the loss")
    learnable_temperature: bool = Field(default=False, description="learn τ, starting at `temperature`")


class SimCLR(Method):
    """SimCLR: encoder, projection head, normalisation to length 1, contrastive loss of the pairs.

    Args:
        encoder: The encoder to train.
        head: Maps pooled features ``[M, F]`` to ``[M, d]``.
        temperature: τ, or its initial value when it is learned.
        learnable_temperature: Learn log(1/τ), clamped to τ ≥ 0.01.
    """

    options: ClassVar[type[BaseModel]] = SimCLROptions

    def __init__(
        self, encoder: Encoder, head: nn.Module, temperature: float = 0.1, learnable_temperature: bool = False
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self._fixed = temperature
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature))) if learnable_temperature else None

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        head = projection_head(encoder.num_features, options["hidden"], options["out"], options["layers"])
        return cls(encoder, head, options["temperature"], options["learnable_temperature"])

    def embed(self, views: Views) -> Embeddings:
        """Embeddings ``z [M, d]`` of length 1, in float32 or wider, independent of the encoder's precision."""
        rows = views.together
        features = self.encoder(rows.values, rows.valid)
        projected = self.head(features.pooled)
        z = F.normalize(projected.to(torch.promote_types(projected.dtype, torch.float32)), dim=1)
        return Embeddings(z, features.pooled.detach()[: views.samples], shared=self._shared())

    def _shared(self) -> dict[str, Tensor]:
        """The temperature, where it is learned."""
        if self.log_scale is None:
            return {}
        return {"temperature": torch.exp(-self.log_scale.clamp(max=_SHARPEST))}

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The contrastive loss of the pairs, see `contrastive_loss`."""
        temperature: float | Tensor = out.shared.get("temperature", self._fixed)
        anchors = out.z if pairs.anchors is None else out.z[pairs.anchors]
        candidates = None if pairs.square else out.whole()
        return contrastive_loss(anchors, pairs(), temperature, candidates, total_anchors=out.total)

    @property
    def temperature(self) -> float:
        """The current temperature τ."""
        if self.log_scale is None:
            return self._fixed
        return math.exp(-min(float(self.log_scale.detach()), _SHARPEST))
