"""Supervised training from scratch, for comparison: the same steps, views and optimiser, but labels as targets.

It is no self-supervised method, so ``methods list`` does not show it. A study passes `SupervisedTraining` to
the engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import BaseModel
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods.embeddings import Embeddings
from ssl_domains.methods.method import Method
from ssl_domains.methods.row_pairs import RowPairs
from ssl_domains.methods.view_plan import ViewPlan

__all__ = ["Supervised", "SupervisedTraining", "Targets", "supervised_answers_of"]


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
    """Supervised training: encoder, and a linear layer on the pooled features.

    The loss is cross-entropy for classes, binary cross-entropy averaged over labels for label sets, and squared error
    of the standardised number for ``regression``. ``z`` of the embeddings is the output of the linear layer,
    ``[M, K]``, not normalised. Labels are looked up by the rows' sample positions. Rows without a label
    are left out; the loss of a batch without labels is exactly 0.

    Args:
        encoder: The encoder to train.
        labels: Labels of the rows of the training table, in its order.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=1, pairs=False, unit_z=False)
    labels: Tensor
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
        # Labels are not saved in checkpoints, as they belong to the table; shift and scale are saved.
        self.register_buffer("labels", torch.as_tensor(np.array(y), dtype=kind), persistent=False)
        self.register_buffer("known", torch.as_tensor(np.array(labels.known), dtype=torch.bool), persistent=False)
        self.register_buffer("shift", torch.tensor(shift, dtype=torch.float64))
        self.register_buffer("scale", torch.tensor(scale, dtype=torch.float64))

    def embed(self, views: Views) -> Embeddings:
        """Logits ``z [M, K]`` (one standardised number for ``regression``), float32."""
        rows = views.together
        features = self.encoder(rows.values, rows.valid)
        return Embeddings(self.classifier(features.pooled).float(), features.pooled.detach()[: views.samples])

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Mean loss over the labelled rows of the batch; of ``pairs``, only the samples of the rows are read."""
        samples = pairs.rows.sample.to(out.z.device)
        known = self.known[samples]
        z, target = out.z[known], self.labels[samples][known]
        if self.task == "classification":
            each = F.cross_entropy(z, target, reduction="none")
        elif self.task == "multilabel":
            each = F.binary_cross_entropy_with_logits(z, target, reduction="none").mean(dim=1)
        else:
            each = (z[:, 0] - target).square()
        count = out.total(known.sum())
        # Without labelled rows the sum is 0 and keeps its graph; a mean would be NaN.
        return LossOutput.plain((each.sum() + 0.0 * out.z.sum()) / count.clamp(min=1))


@dataclass(frozen=True, eq=False)
class SupervisedTraining:
    """Builds `Supervised`; passed as ``method`` to `ssl_domains.engine.Parts` in place of a class.

    Attributes:
        labels: Labels of the rows of ``Parts.table``, in its order.
    """

    labels: Targets
    needs: ClassVar[ViewPlan] = Supervised.needs
    options: ClassVar[type[BaseModel]] = Supervised.options

    def build(self, encoder: Encoder, options: Mapping[str, Any]) -> Supervised:
        """Build `Supervised` with the encoder; the options of a configuration are not used."""
        return Supervised(encoder, self.labels)


def supervised_answers_of(z: Tensor, task: str, shift: float = 0.0, scale: float = 1.0) -> NDArray[np.float64]:
    """Probabilities ``[n, K]``, or numbers ``[n]`` in the label's unit, from outputs ``[n, K]`` of the linear layer."""
    z = z.detach().double().cpu()
    if task == "classification":
        return np.asarray(z.softmax(dim=1).numpy(), dtype=np.float64)
    if task == "multilabel":
        return np.asarray(z.sigmoid().numpy(), dtype=np.float64)
    return np.asarray((z[:, 0] * scale + shift).numpy(), dtype=np.float64)


def _along(known: NDArray[np.bool_], y: NDArray[Any]) -> NDArray[np.bool_]:
    return known.reshape(-1, *(1,) * (y.ndim - 1))
