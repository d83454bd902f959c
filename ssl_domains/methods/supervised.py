"""Supervised training from scratch, as an arm to compare with: same steps, views and optimiser, but labels as targets.

Not a self-supervised method, so ``methods list`` does not show it; a study hands its factory to the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.losses import LossOutput
from ssl_domains.methods.method import Embeddings, Method
from ssl_domains.pairs import PairBatch

__all__ = ["Supervised", "Targets", "supervised_answers_of", "supervised_factory"]


class Targets(Protocol):
    """A label column as `ssl_domains.probes.read_labels` reads it, one value for each training row."""

    @property
    def task(self) -> str:
        """``classification``, ``multilabel`` or ``regression``."""
        ...

    @property
    def y(self) -> NDArray[Any]:
        """Class codes ``[n]``, indicators ``[n, L]`` or numbers ``[n]``."""
        ...

    @property
    def classes(self) -> Sequence[str]:
        """Names of classes or labels; empty for ``regression``."""
        ...

    @property
    def known(self) -> NDArray[np.bool_]:
        """bool ``[n]``, False where there is no label."""
        ...


class Supervised(Method):
    """Encoder → linear layer on the pooled features → cross-entropy.

    Cross-entropy for classes, binary cross-entropy averaged over labels for label sets, squared error of the
    standardised number for ``regression``. ``z`` of its embeddings is what the linear layer gives, ``[M, K]``, not
    normalised. Labels are looked up by the rows' sample positions; rows without one don't count, and a batch without
    any gives an exact 0.

    Args:
        encoder: The encoder to train.
        labels: One for each row of the training table, in its order.
    """

    target: Tensor
    known: Tensor
    shift: Tensor
    scale: Tensor

    def __init__(self, encoder: Encoder, labels: Targets) -> None:
        super().__init__()
        self.encoder = encoder
        self.task = labels.task
        self.classifier = nn.Linear(encoder.num_features, max(1, len(labels.classes)))
        y = np.where(_along(labels.known, labels.y), labels.y, 0)
        shift, scale = 0.0, 1.0
        if self.task == "regression" and labels.known.any():
            values = labels.y[labels.known]
            shift, scale = float(values.mean()), float(values.std()) or 1.0
            y = np.where(labels.known, (labels.y - shift) / scale, 0.0)
        kind = torch.int64 if self.task == "classification" else torch.float32
        # Labels stay out of checkpoints, as they belong to the table; what undoes the standardising goes in.
        self.register_buffer("target", torch.as_tensor(np.array(y), dtype=kind), persistent=False)
        self.register_buffer("known", torch.as_tensor(np.array(labels.known), dtype=torch.bool), persistent=False)
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float64))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float64))

    def embed(self, images: Tensor, mask: Tensor | None = None) -> Embeddings:
        """``[M, C, H, W]`` to logits ``z [M, K]`` (one standardised number for ``regression``), float32."""
        features = self.encoder(images, mask)
        return Embeddings(self.classifier(features.pooled).float(), features)

    def loss(self, out: Embeddings, pairs: PairBatch) -> LossOutput:
        """Mean over the labelled rows of the batch; of the pairs only the rows' samples are read."""
        samples = pairs.anchors.sample.to(out.z.device)
        known = self.known[samples]
        z, target = out.z[known], self.target[samples][known]
        if self.task == "classification":
            each = F.cross_entropy(z, target, reduction="none")
        elif self.task == "multilabel":
            each = F.binary_cross_entropy_with_logits(z, target, reduction="none").mean(dim=1)
        else:
            each = (z[:, 0] - target).square()
        count = known.sum() if out.total_anchors is None else out.total_anchors(known.sum())
        relations = len(pairs.weights)
        # The sum of nothing is 0 and still has a graph, as the mean of nothing has not.
        loss = (each.sum() + 0.0 * out.z.sum()) / count.clamp(min=1)
        zeros = torch.zeros(relations, device=out.z.device)
        return LossOutput(loss, zeros, zeros, count.expand(relations))


def supervised_factory(labels: Targets) -> Callable[[Encoder, Mapping[str, Any]], Supervised]:
    """A method factory for `ssl_domains.engine.Parts` that trains on these labels.

    Args:
        labels: One for each row of ``Parts.table``, in its order.

    Returns:
        Builds `Supervised` from an encoder; the options of a configuration are not used.
    """
    return lambda encoder, options: Supervised(encoder, labels)


def supervised_answers_of(z: Tensor, task: str, shift: float = 0.0, scale: float = 1.0) -> NDArray[np.float64]:
    """Probabilities ``[n, K]``, or numbers ``[n]`` in the label's unit, from what the linear layer gave ``[n, K]``."""
    z = z.detach().double().cpu()
    if task == "classification":
        return np.asarray(z.softmax(dim=1).numpy(), dtype=np.float64)
    if task == "multilabel":
        return np.asarray(z.sigmoid().numpy(), dtype=np.float64)
    return np.asarray((z[:, 0] * scale + shift).numpy(), dtype=np.float64)


def _along(known: NDArray[np.bool_], y: NDArray[Any]) -> NDArray[np.bool_]:
    return known.reshape(-1, *(1,) * (y.ndim - 1))
