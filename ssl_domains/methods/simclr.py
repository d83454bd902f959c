"""SimCLR, and with a rule every method that differs from it only in its pairs.

Chen et al. 2020, A Simple Framework for Contrastive Learning of Visual Representations. With no relation it is NT-Xent;
with ``same(label)`` it is SupCon (Khosla et al. 2020, L_out).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, projection_head
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.methods.method import Embeddings, Method
from ssl_domains.pairs import PairBatch

__all__ = ["SimCLR"]

_SHARPEST = math.log(100.0)  # τ ≥ 0.01, the clamp of CLIP


class SimCLR(Method):
    """Encoder → projection head → unit sphere → the general contrastive loss.

    Args:
        encoder: The encoder to train.
        head: Maps pooled features ``[M, F]`` to ``[M, d]``.
        temperature: τ, or its start when learned.
        learnable_temperature: Learn log(1/τ), clamped to τ ≥ 0.01.
    """

    def __init__(
        self, encoder: Encoder, head: nn.Module, temperature: float = 0.1, learnable_temperature: bool = False
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self._fixed = temperature
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature))) if learnable_temperature else None

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> SimCLR:
        """Build it from the options of a configuration; see `MethodEntry`."""
        head = projection_head(encoder.num_features, options["hidden"], options["out"], options["layers"])
        return cls(encoder, head, options["temperature"], options["learnable_temperature"])

    def embed(self, images: Tensor, mask: Tensor | None = None) -> Embeddings:
        """``[M, C, H, W]`` to ``z [M, d]`` on the unit sphere, float32 or wider whatever the encoder's precision."""
        features = self.encoder(images, mask)
        projected = self.head(features.pooled)
        z = F.normalize(projected.to(torch.promote_types(projected.dtype, torch.float32)), dim=1)
        temperature = None if self.log_scale is None else torch.exp(-self.log_scale.clamp(max=_SHARPEST))
        return Embeddings(z, features, temperature)

    def loss(self, out: Embeddings, pairs: PairBatch) -> LossOutput:
        """The general contrastive loss of the pairs."""
        temperature = self._fixed if out.temperature is None else out.temperature
        return contrastive_loss(out.z, pairs, temperature, out.candidates, total_anchors=out.total_anchors)

    @property
    def temperature(self) -> float:
        """The temperature τ in use."""
        if self.log_scale is None:
            return self._fixed
        return math.exp(-min(float(self.log_scale.detach()), _SHARPEST))
