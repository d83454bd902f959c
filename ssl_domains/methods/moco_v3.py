"""MoCo v3: both views predict the keys of the other view by a momentum encoder; large batches replace the queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Norm, projection_head
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.training_set import TrainingSet
from ssl_domains.methods.memory.momentum import follow, momentum_to_one
from ssl_domains.methods.moco import MoCo, MoCoOptions
from ssl_domains.methods.rows.unit_length import unit_length

__all__ = ["MoCoV3"]


class MoCoV3(MoCo):
    """MoCo v3 (Chen, Xie, He 2021): a predictor, both views as queries, and keys of the batch as candidates.

    The loss is the mean of both directions, without the paper's factor 2τ, which only scales the gradient.

    Args:
        encoder: The encoder to train.
        head: Maps pooled features ``[M, F]`` to ``[M, d]``.
        predictor: Maps ``[M, d]`` to ``[M, d]``.
        width: Width d of the head's output.
        settings: The options.
    """

    def __init__(
        self, encoder: Encoder, head: nn.Module, predictor: nn.Module, width: int, settings: MoCoOptions
    ) -> None:
        super().__init__(encoder, head, width, settings)
        self.predictor = predictor

    @classmethod
    def of(cls, encoder: Encoder, options: Mapping[str, Any], settings: MoCoOptions) -> Self:
        """Build it from the options of a configuration.

        Raises:
            UsageError: When they ask for a queue.
        """
        if settings.queue is not None:
            raise UsageError("MoCo of form v3 has no queue", "leave method.queue out, or use --set method.form=v2")
        norm: Norm = settings.norm or "batch"
        hidden, out, layers = options["hidden"], options["out"], options["layers"]
        head = projection_head(encoder.num_features, hidden, out, layers, norm, last_norm=True)
        width = out if layers else encoder.num_features
        predictor = projection_head(width, settings.predictor, width, 2, norm, last_norm=True)
        return cls(encoder, head, predictor, width, settings)

    def prepare(self, training: TrainingSet) -> None:
        """There is no queue to make."""

    def embed(self, views: Views) -> Embeddings:
        """Predictions of both views, of length 1."""
        rows = views.together
        pooled = self.encoder(rows.values, rows.valid).pooled
        return Embeddings(unit_length(self.predictor(self.head(pooled))), pooled.detach()[: views.samples])

    def target(self, views: Views) -> Mapping[str, Tensor]:
        """Keys of both views by the momentum copy, of length 1."""
        rows = views.together
        return {"keys": unit_length(self.key_head(self.key_encoder(rows.values, rows.valid).pooled))}

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The contrastive loss of each view's predictions against the keys of the other view."""
        rows, keys = out.target_rows("keys"), out.whole("keys")
        anchors = torch.arange(len(out.z)) if pairs.anchors is None else pairs.anchors.cpu()
        sides = []
        for view in (0, 1):
            queries = anchors[pairs.rows.view[anchors] == view]
            others = torch.nonzero(rows.view == 1 - view).squeeze(1)
            found = pairs(pairs.rows.take(queries), rows.take(others))
            z, candidates = out.z[queries.to(out.z.device)], keys[others.to(keys.device)]
            sides.append(contrastive_loss(z, found, self.temperature, candidates, total_anchors=out.total))
        one, two = sides
        return LossOutput(
            (one.loss + two.loss) / 2,
            (one.per_relation + two.per_relation) / 2,
            (one.no_cross_positive + two.no_cross_positive) / 2,
            one.anchors + two.anchors,
        )

    def after_step(self, out: Embeddings, progress: float) -> None:
        """Move the momentum copy; the momentum rises to 1 during the run."""
        momentum = momentum_to_one(self.settings.momentum, progress)
        follow((self.key_encoder, self.key_head), (self.encoder, self.head), momentum)
