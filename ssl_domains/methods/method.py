"""Contract 3, the method: what is trained, and how it is scored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Features
from ssl_domains.losses import LossOutput
from ssl_domains.methods.refresh import Refresh
from ssl_domains.pairs import PairBatch

__all__ = ["Embeddings", "Method"]


@dataclass(frozen=True)
class Embeddings:
    """What a method makes of a batch of ``M`` rows.

    `Method.embed` fills the first three. Where several processes train one run, the engine adds the others before it
    asks for the loss: ``z`` is then this process's part of a larger batch.

    Attributes:
        z: ``[M, d]``, ℓ2-normalised, what the loss compares.
        features: What the encoder gave, before any head; what a probe will see. With gradient caching detached, and
            without its map.
        temperature: τ as a scalar tensor where it is learned, so that gradient caching and DistributedDataParallel,
            which see nothing but `Method.embed`, see it too.
        candidates: ``[N, d]``, the rows of the whole batch, in the order of ``pairs.candidates``; None where ``z`` is
            all of it.
        total_anchors: From this process's number of anchors (int64, any shape) to that of the whole batch, by which a
            mean over anchors must be divided; None where they are the same.
    """

    z: Tensor
    features: Features
    temperature: Tensor | None = None
    candidates: Tensor | None = None
    total_anchors: Callable[[Tensor], Tensor] | None = None

    @property
    def whole(self) -> Tensor:
        """``[N, d]``, the rows of the whole batch, the same in every process: what a queue or bank takes."""
        return self.z if self.candidates is None else self.candidates


class Method(nn.Module, ABC):
    """A self-supervised method: an encoder, what sits on top of it while training, and a loss.

    Attributes:
        encoder: What is kept and exported.
        refresh: What it computes from all training rows every few epochs; None for nothing.
    """

    encoder: Encoder
    refresh: Refresh | None = None

    def forward(self, images: Tensor, mask: Tensor | None = None) -> Embeddings:
        """The same as `embed`, so that wrappers around ``forward`` (DistributedDataParallel) see it."""
        return self.embed(images, mask)

    @abstractmethod
    def embed(self, images: Tensor, mask: Tensor | None = None) -> Embeddings:
        """Embed ``images [M, C, H, W]``, rows in view-major order, with validity ``mask [M, 1, H, W]``.

        Every trained parameter acts here, as nothing else is seen by DistributedDataParallel and gradient caching.
        """

    @abstractmethod
    def loss(self, out: Embeddings, pairs: PairBatch) -> LossOutput:
        """Score the embeddings of a batch by its pairs; pure, given the method's state.

        With several processes ``out.z`` and ``pairs.anchors`` are this one's rows, ``out.candidates`` and
        ``pairs.candidates`` those of all; the loss is this process's share, so that the shares add up to the loss of
        the whole batch. A loss that never asks ``out.total_anchors`` is refused there.
        """

    def after_step(self, out: Embeddings, progress: float) -> None:
        """Update what gradients don't (momentum encoder, queue, bank); ``progress`` runs from 0 to 1.

        Every process must come to the same state: take the rows from ``out.whole``.
        """

    @property
    def temperature(self) -> float:
        """The temperature τ in use, for the log."""
        return float("nan")
