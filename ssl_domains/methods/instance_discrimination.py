"""Instance discrimination: each sample is a class of its own, and a memory bank holds one vector for each class.

Wu et al. 2018, Unsupervised Feature Learning via Non-Parametric Instance Discrimination.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import torch
import torch.nn.functional as F
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, projection_head
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.losses.nce import nce
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.training_set import TrainingSet
from ssl_domains.methods.contract.view_plan import ViewPlan
from ssl_domains.methods.memory.bank_noise import BankNoise
from ssl_domains.methods.memory.memory_bank import MemoryBank

__all__ = ["InstanceDiscrimination", "InstanceDiscriminationOptions"]


class InstanceDiscriminationOptions(MethodOptions):
    """Options of instance discrimination."""

    temperature: float = Field(default=0.07, gt=0, allow_inf_nan=False, description="temperature τ of the loss")
    momentum: float = Field(default=0.5, ge=0, lt=1, description="share of the old vector when the bank is updated")
    objective: Literal["softmax", "nce"] = Field(
        default="softmax", description="'softmax' over the whole bank, or 'nce' against drawn rows of it"
    )
    noise: int = Field(default=4096, ge=1, description="rows of the bank that 'nce' draws at each step")
    partition: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="constant Z of 'nce'; unset estimates it at the first step"
    )


class InstanceDiscrimination(Method):
    """Encoder, projection head, normalisation to length 1; rows of the batch against a bank of all training samples."""

    needs: ClassVar[ViewPlan] = ViewPlan(views=1)
    options: ClassVar[type[BaseModel]] = InstanceDiscriminationOptions
    bank: MemoryBank
    noise: BankNoise | None

    def __init__(self, encoder: Encoder, head: nn.Module, width: int, settings: InstanceDiscriminationOptions) -> None:
        super().__init__()
        self.encoder, self.head, self.width, self.settings = encoder, head, width, settings

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        head = projection_head(encoder.num_features, options["hidden"], options["out"], options["layers"])
        settings = InstanceDiscriminationOptions(**{name: options[name] for name in cls.options.model_fields})
        return cls(encoder, head, options["out"] if options["layers"] else encoder.num_features, settings)

    def prepare(self, training: TrainingSet) -> None:
        """Make the bank, one vector for each training sample, and the noise."""
        n, k = training.samples, self.settings.noise
        if self.settings.objective == "nce" and k > n:
            cause = f"method.noise is {k}, but the bank has {n} rows, one for each training sample"
            raise UsageError(cause, f"use --set method.noise={n}, or --set method.objective=softmax")
        self.bank = MemoryBank(training, self.width)
        self.noise = BankNoise(n, k, self.settings.partition) if self.settings.objective == "nce" else None

    def embed(self, views: Views) -> Embeddings:
        """Embeddings ``z [M, d]`` of length 1, in float32 or wider."""
        rows = views.together
        features = self.encoder(rows.values, rows.valid)
        projected = self.head(features.pooled)
        z = F.normalize(projected.to(torch.promote_types(projected.dtype, torch.float32)), dim=1)
        return Embeddings(z, features.pooled.detach()[: views.samples])

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The own bank row, and those of positives, against other rows of the bank; ignored rows are left out."""
        z = out.z if pairs.anchors is None else out.z[pairs.anchors]
        if self.noise is not None:
            return self._nce(self.noise, out, z, pairs)
        batch = pairs(None, self.bank.rows(torch.arange(len(self.bank))))
        return contrastive_loss(z, batch, self.temperature, self.bank.vectors, total_anchors=out.total)

    def _nce(self, noise: BankNoise, out: Embeddings, z: Tensor, pairs: RowPairs) -> LossOutput:
        """Positives are bank rows of the batch's samples; noise are the drawn rows that are negatives of the anchor."""
        data = torch.unique(pairs.whole.sample)
        columns = torch.cat([data, noise.samples.cpu()])
        batch = pairs(None, self.bank.rows(columns))
        states = batch.collapsed(slice(0, len(z)), slice(0, len(columns)))
        is_noise = torch.arange(len(columns), device=z.device) >= len(data)
        log_z = noise.log_partition(self._scores(out.whole().detach(), noise.samples))
        each = nce(
            self._scores(z, columns.to(z.device)), states.weight * ~is_noise, states.negative & is_noise,
            noise.log_probability(len(columns)), noise.size, log_z,
        )  # fmt: skip
        count = out.total(torch.full((len(batch.names),), len(z), device=z.device))
        loss = each.sum() / count[0].clamp_min(1)
        alone = 1 - batch.cross_sample().to(z.dtype).sum(0) / max(len(z), 1)
        return LossOutput(loss, loss.detach().expand(len(count)), alone, count)

    def after_step(self, out: Embeddings, progress: float) -> None:
        """Keep Z, draw the noise of the next step, and move the bank rows of the batch's samples."""
        assert out.rows is not None
        z = out.whole().detach()
        if self.noise is not None:
            self.noise.next_step(self.noise.log_partition(self._scores(z, self.noise.samples)))
        self.bank.update(z, out.rows, self.settings.momentum)

    def _scores(self, z: Tensor, samples: Tensor) -> Tensor:
        return z @ self.bank.vectors[samples].T / self.settings.temperature

    @property
    def temperature(self) -> float:  # noqa: D102
        return self.settings.temperature
