"""Head for a label column: a linear layer on the pooled features."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.evaluation import embed_rows
from ssl_domains.finetuning.heads.head import Head, LabelledRows, widened
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.task import Task
from ssl_domains.inputs import Input, Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings, RowPairs
from ssl_domains.probes import Labels, LinearProbe, chosen_setting

__all__ = ["LabelHead"]


class LabelHead(Head):
    """Predicts classes, sets of labels or numbers with a linear layer on the pooled features.

    The loss is cross-entropy for classes, binary cross-entropy averaged over labels for label sets, and squared error
    of the standardised number for regression. Rows without a label are left out; the loss of a batch without labels is
    exactly 0.

    Args:
        task: What it predicts.
        features: Width ``F`` of the pooled features.
        labels: Labels of the training rows; None for a head that is not trained.
    """

    labels: Tensor | None
    known: Tensor | None

    def __init__(self, task: Task, features: int, labels: Labels | None = None) -> None:
        super().__init__()
        self.task = task
        self.layer = nn.Linear(features, max(1, len(task.classes)))
        y, known = (None, None) if labels is None else _targets(task, labels)
        # Labels belong to the table, so they are not saved in checkpoints.
        self.register_buffer("labels", y, persistent=False)
        self.register_buffer("known", known, persistent=False)

    @classmethod
    def build(cls, task: Task, encoder: Encoder, labels: Labels | None, options: FineTuneOptions) -> Self:
        """See `Head.build`."""
        return cls(task, encoder.num_features, labels)

    def embed(self, encoder: Encoder, views: Views) -> Embeddings:
        """Outputs of the linear layer as ``z [M, K]``; one standardised number for regression."""
        rows = views.together
        pooled = encoder(rows.values, rows.valid).pooled
        return Embeddings(widened(self.layer(pooled)), pooled.detach()[: views.samples])

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Mean loss over the labelled rows of the batch."""
        assert self.labels is not None
        assert self.known is not None
        samples = pairs.rows.sample.to(out.z.device)
        known = self.known[samples]
        z, target = out.z[known], self.labels[samples][known]
        if self.task.kind == "classification":
            each = F.cross_entropy(z, target, reduction="none")
        elif self.task.kind == "multilabel":
            each = F.binary_cross_entropy_with_logits(z, target.to(z.dtype), reduction="none").mean(dim=1)
        else:
            each = (z[:, 0] - target).square()
        count = out.total(known.sum())
        # Without labelled rows the sum is 0 and keeps its graph; a mean would be NaN.
        return LossOutput.plain((each.sum() + 0.0 * out.z.sum()) / count.clamp(min=1))

    def outputs(self, encoder: Encoder, x: Input) -> Tensor:
        """Logits ``[B, K]``; for regression the standardised number ``[B, 1]``."""
        return widened(self.layer(encoder(x.values, x.valid).pooled))

    def answers(self, outputs: Tensor) -> NDArray[np.float64]:
        """Probabilities ``[B, K]``, or numbers ``[B]`` in the label's unit."""
        z = outputs.detach().double().cpu()
        if self.task.kind == "classification":
            return np.asarray(z.softmax(dim=1).numpy(), dtype=np.float64)
        if self.task.kind == "multilabel":
            return np.asarray(z.sigmoid().numpy(), dtype=np.float64)
        return np.asarray((z[:, 0] * self.task.scale + self.task.centre).numpy(), dtype=np.float64)

    def start(self, encoder: Encoder, rows: LabelledRows) -> tuple[str, ...]:
        """Take over weight and bias of the linear probe of the frozen encoder, standardisation included."""
        assert rows.labels is not None
        known = np.flatnonzero(rows.labels.known)
        labels, groups = rows.labels.take(known), rows.groups[known]
        x = embed_rows(
            encoder, rows.preprocess, rows.table.take(known), rows.store,
            device=rows.device, workers=rows.workers, crop=rows.crop,
        )  # fmt: skip
        probe = LinearProbe()
        setting, notes = chosen_setting(probe, x, labels, groups, seed=rows.seed)
        fitted = probe.linear_map(x, labels, setting)
        scale = self.task.scale
        with torch.no_grad():
            self.layer.weight.copy_(torch.from_numpy(fitted.weight / scale))
            self.layer.bias.copy_(torch.from_numpy((fitted.bias - self.task.centre) / scale))
        return tuple(note for note in (*notes, fitted.note) if note)


def _targets(task: Task, labels: Labels) -> tuple[Tensor, Tensor]:
    """Targets of the training rows, 0 where there is no label, and where there is one."""
    known = labels.known.reshape(-1, *(1,) * (labels.y.ndim - 1))
    y: NDArray[Any] = np.where(known, labels.y, 0)
    if task.kind == "regression":
        y = np.where(labels.known, (labels.y - task.centre) / task.scale, 0.0)
    kind = torch.int64 if task.kind == "classification" else torch.float32
    return torch.as_tensor(np.array(y), dtype=kind), torch.as_tensor(np.array(labels.known), dtype=torch.bool)
