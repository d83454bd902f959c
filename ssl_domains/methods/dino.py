"""DINO: a student predicts the distributions over prototypes that a momentum copy of it gives to other, large views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import BaseModel, Field
from torch import Tensor

from ssl_domains.encoders import Norm
from ssl_domains.inputs import Input, Views
from ssl_domains.losses import LossOutput
from ssl_domains.losses.dino import dino_loss
from ssl_domains.methods.bases.multi_crop import GLOBAL_VIEWS, MultiCrop, MultiCropOptions
from ssl_domains.methods.contract.embeddings import Embeddings, Target
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.training_set import TrainingSet
from ssl_domains.methods.memory.momentum import follow, momentum_copy, momentum_to_one
from ssl_domains.methods.memory.prototypes import Prototypes, number_of_prototypes, steps_of_freeze
from ssl_domains.methods.rows.unit_length import unit_length

__all__ = ["DINO", "DINOOptions"]

_USUAL_PROTOTYPES = 65_536  # of the paper
_WARM_UP_EPOCHS = 30  # of the paper


class DINOOptions(MultiCropOptions):
    """Options of DINO."""

    prototypes: int | None = Field(
        default=None, ge=2, description="prototypes; unset: 65,536, or a tenth of the training samples if fewer"
    )
    teacher_temperature: float = Field(
        default=0.04, gt=0, allow_inf_nan=False, description="temperature of the teacher: smaller is sharper"
    )
    warm_up_temperature: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="temperature of the teacher at the first step, from which it goes to teacher_temperature; unset: "
        "no warm-up",
    )
    warm_up_steps: int | None = Field(
        default=None, ge=1, description="steps of the warm-up of the temperature; unset: 30 epochs, as in the paper"
    )
    momentum: float = Field(
        default=0.996, ge=0, le=1, description="momentum of the teacher; it rises to 1 during the run"
    )
    centre_momentum: float = Field(
        default=0.9, ge=0, le=1, description="momentum of the centre that is subtracted from the teacher's scores"
    )
    norm: Norm = Field(default="none", description="norm in the head: none (paper), layer or batch")


class DINO(MultiCrop):
    """DINO (Caron et al. 2021): multi-crop self-distillation, kept from collapsing by centring and sharpening."""

    options: ClassVar[type[BaseModel]] = DINOOptions
    settings: DINOOptions
    centre: Tensor

    def prepare(self, training: TrainingSet) -> None:
        """Make prototypes, centre and teacher."""
        number = number_of_prototypes(self.settings.prototypes, _USUAL_PROTOTYPES, training)
        self.prototypes = Prototypes(number, self.width, steps_of_freeze(self.settings.freeze_steps, training))
        self.register_buffer("centre", torch.zeros(number))
        epochs = _WARM_UP_EPOCHS * max(1, training.samples // training.batch_size)
        self.warm_up_steps = self.settings.warm_up_steps or epochs
        self.teacher_encoder, self.teacher_head = momentum_copy(self.encoder), momentum_copy(self.head)
        self.teacher_prototypes = momentum_copy(self.prototypes)

    def target(self, views: Views) -> Mapping[str, Target]:
        """The teacher's scores of the large views."""
        rows = Input.cat([views[number] for number in range(GLOBAL_VIEWS)])
        z = unit_length(self.teacher_head(self.teacher_encoder(rows.values, rows.valid).pooled))
        scores = z @ self.teacher_prototypes().to(z.dtype).T
        return {"scores": Target(scores, views.rows(range(GLOBAL_VIEWS)))}

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Cross-entropy of the teacher's large views with the student's other views, see `dino_loss`."""
        scores = out.z @ out.shared["prototypes"].to(out.z.dtype).T
        loss = dino_loss(
            scores.reshape(self.settings.local_views + GLOBAL_VIEWS, -1, scores.shape[1]),
            out.targets["scores"].reshape(GLOBAL_VIEWS, -1, scores.shape[1]),
            self.centre,
            temperature=self.settings.temperature,
            teacher_temperature=self.teacher_temperature(),
            total=out.total,
        )
        return LossOutput.plain(loss)

    def teacher_temperature(self) -> float | Tensor:
        """The teacher's temperature τ_t at the current step: it goes linearly from the first to the final one."""
        first, final = self.settings.warm_up_temperature, self.settings.teacher_temperature
        if first is None:
            return final
        # Computed on the device: reading the step number there would wait for it.
        return first + (final - first) * (self.prototypes.steps / self.warm_up_steps).clamp(max=1)

    def after_step(self, out: Embeddings, progress: float) -> None:
        """Move the teacher and the centre."""
        copies = (self.teacher_encoder, self.teacher_head, self.teacher_prototypes)
        momentum = momentum_to_one(self.settings.momentum, progress)
        follow(copies, (self.encoder, self.head, self.prototypes), momentum)
        mean = out.whole("scores").mean(dim=0).to(self.centre.dtype)
        self.centre.lerp_(mean, 1 - self.settings.centre_momentum)
        self.prototypes.count_step()
