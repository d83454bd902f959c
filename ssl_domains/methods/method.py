"""Contract 3, the method: what is trained, and how it is scored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Features
from ssl_domains.losses import LossOutput
from ssl_domains.pairs import PairBatch

__all__ = ["Embeddings", "Method"]


@dataclass(frozen=True)
class Embeddings:
    """What a method makes of a batch of ``M`` rows.

    Attributes:
        z: ``[M, d]``, ℓ2-normalised, what the loss compares.
        features: What the encoder gave, before any head; what a probe will see.
    """

    z: Tensor
    features: Features


class Method(nn.Module, ABC):
    """A self-supervised method: an encoder, what sits on top of it while training, and a loss.

    Attributes:
        encoder: What is kept and exported.
    """

    encoder: Encoder

    def forward(self, images: Tensor, mask: Tensor | None = None) -> Embeddings:
        """The same as `embed`, so that wrappers around ``forward`` (DistributedDataParallel) see it."""
        return self.embed(images, mask)

    @abstractmethod
    def embed(self, images: Tensor, mask: Tensor | None = None) -> Embeddings:
        """Embed ``images [M, C, H, W]``, rows in view-major order, with validity ``mask [M, 1, H, W]``."""

    @abstractmethod
    def loss(self, out: Embeddings, pairs: PairBatch) -> LossOutput:
        """Score the embeddings of a batch by its pairs; pure, given the method's state."""

    def after_step(self, out: Embeddings, progress: float) -> None:
        """Update what gradients don't (momentum encoder, queue, bank); ``progress`` runs from 0 to 1."""

    @property
    def temperature(self) -> float:
        """The temperature τ in use, for the log."""
        return float("nan")
